select * from dead_letter order by at desc, partition, epoch, k limit $1
