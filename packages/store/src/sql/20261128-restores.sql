-- The newest epoch that began because Postgres, restored from a copy, had lost what the log store had already let go of.
alter table log_partition add column restored_epoch bigint;
-- Up to where the copy had the channel.
alter table channel_head add column kept_epoch bigint, add column kept_n bigint;
