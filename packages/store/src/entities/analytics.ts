import { defineEntity, p } from '@mikro-orm/core';

/** What happened in a channel on a day (UTC). Who sent a message was active. */
export const AnalyticsChannelDayEntity = defineEntity({
  name: 'AnalyticsChannelDay',
  tableName: 'analytics_channel_day',
  properties: {
    day: p.date().primary(),
    channelId: p.uuid().primary(),
    messages: p.integer(),
    activeUsers: p.integer(),
    persistMsAverage: p.double().nullable(),
    persistMsP95: p.double().nullable(),
  },
  indexes: [{ name: 'analytics_channel_day_channel_index', properties: ['channelId', 'day'] }],
});

/** What happened on a day (UTC), and how long a message took from the log to Postgres. */
export const AnalyticsDayEntity = defineEntity({
  name: 'AnalyticsDay',
  tableName: 'analytics_day',
  properties: {
    day: p.date().primary(),
    messages: p.integer(),
    activeUsers: p.integer(),
    activeChannels: p.integer(),
    persistMsAverage: p.double().nullable(),
    persistMsP50: p.double().nullable(),
    persistMsP95: p.double().nullable(),
    persistMsP99: p.double().nullable(),
  },
});
