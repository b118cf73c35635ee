select * from dead_letter where (partition, epoch, k) = ($1, $2, $3)
