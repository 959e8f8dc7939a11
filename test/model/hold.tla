---- MODULE hold ----
(***************************************************************************)
(* One hold, from its opening to its end: two callers that capture and     *)
(* release, the sweeper that ends it after its expiry, crashes, lost       *)
(* answers and clocks that differ. The wallet also has money that belongs  *)
(* to other holds, so a wrong write finds money to take.                   *)
(* A command reads the hold, and then makes one conditional write.         *)
(***************************************************************************)
EXTENDS Integers, TLC

CONSTANTS
  Callers, Sweeper,
  Amount,      \* of the hold
  OtherHeld,   \* what the wallet holds besides
  ExpiresAt,
  Skew,        \* most by which a clock differs from the time
  MaxTime, MaxCommands, MaxRepeats,  \* bounds of the search
  \* The protections. The model with one of them broken must violate an invariant.
  WriteChecksStatus,    \* the write needs a hold that is open
  WriteChecksRemaining, \* the write needs the amount that the hold still has
  WriteChecksExpiry,    \* the write of a capture needs a time before the expiry
  SweepChecksExpiry,    \* the sweeper's write needs a time at or after the expiry
  WriteRecordsKey,      \* the record of the key is part of the write
  WriteCredits          \* the credit of what is captured is part of the write

VARIABLES now, clock, hold, wallet, process, used, faults
vars == <<now, clock, hold, wallet, process, used, faults>>

Processes == Callers \cup {Sweeper}

Captures == [kind : {"capture"}, amount : 1..Amount, isFinal : BOOLEAN]
Release == [kind |-> "release", amount |-> 0, isFinal |-> TRUE]
Expiry == [kind |-> "expire", amount |-> 0, isFinal |-> TRUE]
Commands == Captures \cup {Release}

Resting == [step |-> "rest", isLate |-> FALSE, seen |-> 0, command |-> Release, repeats |-> 0]

Init ==
  /\ now = 0
  /\ clock \in [Processes -> {-Skew, Skew}]
  /\ hold = [status |-> "open", remaining |-> Amount]
  /\ wallet = [available |-> 0, held |-> Amount + OtherHeld, captured |-> 0]
  /\ process = [p \in Processes |-> Resting]
  /\ used = [c \in Callers |-> [key |-> 0, moves |-> 0]]  \* the caller's latest key, and the writes made with it
  /\ faults = {}

Tick == now < MaxTime /\ now' = now + 1 /\ UNCHANGED <<clock, hold, wallet, process, used, faults>>

\* Whether it is the time of the expiry or later, by the clock of this process.
IsLate(p) == now + clock[p] >= ExpiresAt

IsReplay(p) == p \in Callers /\ used[p].moves > 0

\* Reads the hold. The time of a command is that of its request's beginning, by the clock of one machine.
Read(p, command, repeats) ==
  /\ hold.status = "open" \/ IsReplay(p)
  /\ process' = [process EXCEPT ![p] = [step |-> "write", isLate |-> IsLate(p), seen |-> hold.remaining,
                                        command |-> command, repeats |-> repeats]]

\* A caller sends a command with a new key.
Begin(c) ==
  /\ process[c].step = "rest" /\ used[c].key < MaxCommands /\ hold.status = "open"
  /\ used' = [used EXCEPT ![c] = [key |-> @.key + 1, moves |-> 0]]
  /\ \E command \in Commands : Read(c, command, 0)
  /\ UNCHANGED <<now, clock, hold, wallet, faults>>

\* A caller sends its command again with the same key: its answer was lost, or its process has crashed.
Repeat(c) ==
  /\ process[c].step = "rest" /\ used[c].key > 0 /\ process[c].repeats < MaxRepeats
  /\ Read(c, process[c].command, process[c].repeats + 1)
  /\ UNCHANGED <<now, clock, hold, wallet, used, faults>>

Sweep ==
  /\ process[Sweeper].step = "rest"
  /\ IsLate(Sweeper) \/ ~SweepChecksExpiry
  /\ Read(Sweeper, Expiry, 0)
  /\ UNCHANGED <<now, clock, hold, wallet, used, faults>>

----
\* A caller that may repeat its command keeps it.
Rests(p) ==
  process' = [process EXCEPT ![p] =
    IF p \in Callers /\ @.repeats < MaxRepeats
    THEN [@ EXCEPT !.step = "rest", !.isLate = FALSE, !.seen = 0]
    ELSE [Resting EXCEPT !.repeats = MaxRepeats]]

\* The one write of a command. What it takes and gives back was computed from what it read.

IsEnd(p) == process[p].command.isFinal \/ process[p].command.amount = process[p].seen
Taken(p) == process[p].command.amount
Returned(p) == IF IsEnd(p) THEN process[p].seen - Taken(p) ELSE 0

Condition(p) ==
  LET kind == process[p].command.kind IN
  /\ WriteChecksStatus => hold.status = "open"
  /\ WriteChecksRemaining => (IF IsEnd(p) THEN hold.remaining = process[p].seen ELSE hold.remaining > Taken(p))
  /\ (kind = "capture" /\ WriteChecksExpiry) => ~process[p].isLate
  /\ (kind = "expire" /\ SweepChecksExpiry) => process[p].isLate
  /\ Taken(p) <= process[p].seen
  /\ wallet.held >= Taken(p) + Returned(p)

FaultsOf(p) ==
  LET command == process[p].command IN
  {fault \in {"moved after the end", "captured after the expiry", "expired too early"} :
    \/ fault = "moved after the end" /\ hold.status # "open"
    \/ fault = "captured after the expiry" /\ command.kind = "capture" /\ process[p].isLate
    \/ fault = "expired too early" /\ command.kind = "expire" /\ now + Skew < ExpiresAt}

Write(p) ==
  /\ process[p].step = "write"
  /\ IF (WriteRecordsKey /\ IsReplay(p)) \/ ~Condition(p)
     THEN UNCHANGED <<hold, wallet, used, faults>>
     ELSE \E credited \in IF WriteCredits THEN {Taken(p)} ELSE {Taken(p), 0} :
          /\ hold' = [status |-> IF IsEnd(p) THEN "ended" ELSE hold.status,
                      remaining |-> hold.remaining - Taken(p) - Returned(p)]
          /\ wallet' = [available |-> wallet.available + Returned(p), held |-> wallet.held - Taken(p) - Returned(p),
                        captured |-> wallet.captured + credited]
          /\ used' = IF p \in Callers THEN [used EXCEPT ![p].moves = @ + 1] ELSE used
          /\ faults' = faults \cup FaultsOf(p)
  /\ Rests(p)
  /\ UNCHANGED <<now, clock>>

\* The process dies before its write. A death after it is a lost answer, after which the caller repeats.
Crash(p) ==
  /\ process[p].step = "write"
  /\ Rests(p)
  /\ UNCHANGED <<now, clock, hold, wallet, used, faults>>

Next ==
  \/ Tick \/ Sweep
  \/ \E c \in Callers : Begin(c) \/ Repeat(c)
  \/ \E p \in Processes : Write(p) \/ Crash(p)

Spec == Init /\ [][Next]_vars

\* The callers are alike.
Alike == Permutations(Callers)

----
NothingIsLost == wallet.available + wallet.held + wallet.captured = Amount + OtherHeld
HeldIsOpen == wallet.held = OtherHeld + IF hold.status = "open" THEN hold.remaining ELSE 0
CapturedWithinHold == wallet.captured <= Amount
KeyMovesOnce == \A c \in Callers : used[c].moves <= 1
NoMoveAfterEnd == "moved after the end" \notin faults
NoCaptureAfterExpiry == "captured after the expiry" \notin faults
NoEarlyExpiry == "expired too early" \notin faults
====
