select from log_partition limit 1
