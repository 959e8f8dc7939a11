/**
 * The view of each audience. A view is a table with a decision for each field and audience. So a new field of a
 * transaction, wallet or entry does not compile until each audience has a decision. Answers list fields in the tables'
 * order.
 */

/**
 * The audiences of views.
 *
 * - `operator`: sees everything except the service's own bookkeeping; account numbers are masked.
 * - `owner`: the owner of the wallet that a transaction acts on, or of the wallet itself.
 * - `counterparty`: the owner of the wallet that receives a transfer, capture or refund, or that a hold names.
 * - `subscriber`: every consumer of the bus: the audit, notifications, consumers of yours. The archive cannot delete
 *   from events, so they hold no evidence and no holder of an account. The event itself names the actor.
 */
export const audiences = ['operator', 'owner', 'counterparty', 'subscriber'] as const;
export type Audience = (typeof audiences)[number];

/** A field is shown (true), hidden (false), or shown as the function's result; undefined hides it. */
type Decision<Value, Source> = boolean | ((value: Value, source: Partial<Source>) => unknown);

/** A decision for each field of `Source` and each audience. */
export type View<Source, A extends Audience> = {
  readonly [Field in keyof Required<Source>]: Readonly<Record<A, Decision<NonNullable<Source[Field]>, Source>>>;
};

export const everyAudience = { operator: true, owner: true, counterparty: true, subscriber: true } as const;
export const exceptCounterparty = { ...everyAudience, counterparty: false } as const;
export const exceptSubscriber = { ...everyAudience, subscriber: false } as const;
export const operatorOnly = { operator: true, owner: false, counterparty: false, subscriber: false } as const;
/** Only the service's own code uses it. */
export const internal = { ...operatorOnly, operator: false } as const;

/** The fields of all members of a union. */
export type FieldsOf<Kind> = { readonly [Field in FieldOf<Kind>]?: ValueOf<Kind, Field> };
type FieldOf<Kind> = Kind extends unknown ? keyof Kind : never;
type ValueOf<Kind, Field> = Kind extends unknown ? (Field extends keyof Kind ? Kind[Field] : never) : never;

/** Returns the fields of a value that an audience sees, in the order of the view. */
export function shown<Source extends object, A extends Audience>(
  view: View<Source, A>,
  source: Partial<Source>,
  audience: A,
): Record<string, unknown> {
  const fields = Object.keys(view) as (keyof Source & string)[];
  return Object.fromEntries(
    fields.flatMap((field) => {
      const decision: Decision<NonNullable<Source[typeof field]>, Source> = view[field][audience];
      const value = source[field];
      if (decision === false || value === undefined || value === null) return [];
      const result = decision === true ? value : decision(value, source);
      return result === undefined ? [] : [[field, result]];
    }),
  );
}

/** Returns the same members, sorted by name. */
export function sorted(members: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}
