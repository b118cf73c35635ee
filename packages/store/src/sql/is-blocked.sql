-- Whether `cm.user_id` has blocked `m.sender_id`. Nobody can block anybody yet.
false
