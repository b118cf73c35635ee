select id from deleted_channels where removed_at is null order by deleted_at, id
