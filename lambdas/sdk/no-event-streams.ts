/**
 * Stands in for `@smithy/core/event-streams` in bundles. The SDK imports it dynamically, so bundling would keep it and
 * all its imports, with every export. No operation that the service calls answers with a stream of events.
 */
throw new Error('bundles cannot read event streams: see lib/bundle.ts');

export {};
