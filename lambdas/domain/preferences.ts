import type { EventType } from './events.ts';

/** Ways to tell an owner. */
export const channelNames = ['email', 'sms', 'push'] as const;

export type Channel = (typeof channelNames)[number];

/** What an owner wishes to be told, and how. */
export interface Preferences {
  readonly channels: Readonly<Record<Channel, boolean>>;
  /** Events of which the owner does not wish to hear, on any channel. */
  readonly mutedEvents: readonly EventType[];
}

/** For owners who never said: everything by e-mail, which costs nobody anything and wakes nobody up. */
export const defaultPreferences: Preferences = {
  channels: { email: true, sms: false, push: false },
  mutedEvents: [],
};

/** The channels on which an owner is told of an event. */
export function channelsFor(preferences: Preferences, event: EventType): Channel[] {
  return preferences.mutedEvents.includes(event) ? [] : channelNames.filter((channel) => preferences.channels[channel]);
}
