select * from users where id = any($1::uuid[])
