import type { EventType } from './events.ts';

/** Ways to notify an owner. */
export const channelNames = ['email', 'sms', 'push'] as const;

export type Channel = (typeof channelNames)[number];

/** An owner's choice of events and channels for notifications. */
export interface Preferences {
  readonly channels: Readonly<Record<Channel, boolean>>;
  /** Types of events that cause no notification on any channel. */
  readonly mutedEvents: readonly EventType[];
}

/** The preferences of owners who stored none: no notification. */
export const defaultPreferences: Preferences = {
  channels: { email: false, sms: false, push: false },
  mutedEvents: [],
};

/** Returns the channels on which an owner gets a notification of an event. */
export function channelsFor(preferences: Preferences, event: EventType): Channel[] {
  return preferences.mutedEvents.includes(event) ? [] : channelNames.filter((channel) => preferences.channels[channel]);
}
