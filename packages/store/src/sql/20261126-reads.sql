-- What anybody may browse: a small part of the channels.
create index channels_public_index on channels (created_at desc, id desc) where kind = 'public' and archived_at is null;
create index channels_public_words_index on channels using gin (name gin_trgm_ops, topic gin_trgm_ops)
  where kind = 'public' and archived_at is null;
