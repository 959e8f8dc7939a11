/** Traces of the simulation, checked against the models: each step of a trace must be one that its model allows. */
import { observe } from './tlc.ts';

type Value = string | number | boolean;

/** What is seen of a model's state. */
export type Observation = Readonly<Record<string, Value>>;

/** The observed states of one withdrawal or hold, in their order. No two that follow one another are equal. */
export interface Trace {
  readonly model: 'withdrawal' | 'hold';
  /** Constants of the model that this trace needs. */
  readonly constants: Readonly<Record<string, number>>;
  readonly states: readonly Observation[];
}

interface Lens {
  /** What is seen of a state, in TLA+. */
  readonly observed: string;
  /** What TLC compares of two states besides the place in the trace, in TLA+: states that are alike go on alike. */
  readonly view: string;
  /** Bounds of the search that a trace does not meet, and times that let every order of events happen within few ticks. */
  readonly bounds: (trace: Trace) => Readonly<Record<string, number>>;
}

const lenses: Readonly<Record<Trace['model'], Lens>> = {
  withdrawal: {
    // Only open work has a claim and a submit that may be out. The model does not list the last visit of ended work.
    observed:
      'LET isLive == IsOpen \\/ record.status = "review" IN ' +
      '[status |-> record.status, claim |-> IF IsOpen THEN record.claimId ELSE 0, ' +
      'isOut |-> IsOpen /\\ record.submitBy # Nothing, attempts |-> IF isLive THEN record.attempts ELSE 0, ' +
      'isVisited |-> isLive /\\ record.isVisited, isCancelled |-> record.isCancelled, decision |-> bank.decision]',
    // Times that are over are alike, and so are two states that differ by the time that has passed.
    view:
      'LET From(t, least) == IF t = Nothing THEN Nothing - 9 ELSE Later(t - now, least) IN ' +
      '<<[record EXCEPT !.dueAt = From(@, 0), !.submitBy = From(@, -NotFoundWindow)], ' +
      '[w \\in Workers |-> [worker[w] EXCEPT !.claimedAt = From(@, -SubmitBudget - 1), ' +
      '!.earlierSubmitBy = From(@, -NotFoundWindow), !.submittedAt = From(@, -CallTime - 1)]], ' +
      '[age \\in 0..BankDelay |-> IF now - age \\in DOMAIN underway THEN underway[now - age] ELSE 0], bank.decision, claims>>',
    bounds: () => ({ MaxClaims: 1_000, MaxCrashes: 1_000, MaxTime: 1_000, Lease: 2, SubmitBudget: 1, CallTime: 0 }),
  },
  hold: {
    observed:
      '[status |-> hold.status, remaining |-> hold.remaining, captured |-> wallet.captured, ' +
      'returned |-> wallet.available, isEarly |-> "expired too early" \\in faults]',
    view: '<<now, clock, hold, wallet, process, used, faults>>',
    bounds: ({ states }) => ({ MaxCommands: states.length - 1, MaxRepeats: 0 }),
  },
};

/**
 * Returns the traces that their model refuses: no behaviour of the model has these states in this order, with steps between
 * them that change nothing of what is observed.
 *
 * @throws Error when TLC fails
 */
export async function refusedTraces(traces: readonly Trace[]): Promise<Trace[]> {
  const refused: Trace[] = [];
  // Larger bounds make more states, so traces with the same bounds are checked together.
  const alike = Map.groupBy(traces, (trace) =>
    JSON.stringify([trace.model, { ...trace.constants, ...lenses[trace.model].bounds(trace) }]),
  );
  for (const [text, group] of alike) {
    const [model, constants] = JSON.parse(text) as [Trace['model'], Trace['constants']];
    const accepted = await observe({ model, constants }, acceptorOf(model, group));
    refused.push(...group.filter((_, n) => !accepted.has(n + 1)));
  }
  return refused;
}

/** Returns the body of a module that extends a model and prints the number of each trace that the model allows. */
function acceptorOf(model: Trace['model'], traces: readonly Trace[]): string {
  const texts = traces.map(({ states }) => `<<${states.map(recordText).join(', ')}>>`);
  return `EXTENDS ${model}, Sequences
VARIABLES trace, place
Traces == <<
  ${texts.join(',\n  ')}
>>
Observed == ${lenses[model].observed}
TraceInit == Init /\\ trace \\in 1..Len(Traces) /\\ place = 1 /\\ Observed = Traces[trace][1]
TraceNext ==
  /\\ place < Len(Traces[trace])
  /\\ Next
  /\\ trace' = trace
  /\\ \\/ Observed' = Traces[trace][place] /\\ place' = place
     \\/ Observed' = Traces[trace][place + 1] /\\ place' = place + 1
TraceSpec == TraceInit /\\ [][TraceNext]_<<vars, trace, place>>
Seen == <<trace, place, ${lenses[model].view}>>
Accepts == place = Len(Traces[trace]) => PrintT(<<"accepted", trace>>)
`;
}

function recordText(state: Observation): string {
  const members = Object.entries(state).map(([name, value]) => `${name} |-> ${valueText(value)}`);
  return `[${members.join(', ')}]`;
}

function valueText(value: Value): string {
  if (typeof value === 'string') return `"${value}"`;
  return String(value).toUpperCase();
}
