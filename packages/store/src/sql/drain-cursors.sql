select partition, epoch, read_epoch, read_k from log_partition order by partition
