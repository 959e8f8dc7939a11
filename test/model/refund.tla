---- MODULE refund ----
(***************************************************************************)
(* The refunds of one transaction, a transfer on its way or a charge: two  *)
(* callers that refund all of it or a part, crashes, lost answers, and a   *)
(* receiver that spends the money meanwhile. The receiver's wallet also    *)
(* has other money, so a wrong write finds money to take.                  *)
(* A command reads the original, and then makes one conditional write.     *)
(***************************************************************************)
EXTENDS Integers, TLC

CONSTANTS
  Callers,
  Amount,      \* of the original
  OtherMoney,  \* what the receiver's wallet has besides
  MaxCommands, MaxRepeats,  \* bounds of the search
  \* The protections. The model with one of them broken must violate an invariant.
  StatusIsChecked,         \* the command needs an original that is completed
  WriteChecksSum,          \* the write needs a sum that leaves what it takes
  WriteUpdatesSum,         \* the sum of the original is part of the write
  WriteChecksFunds,        \* the write needs the money in the receiver's wallet
  WriteCountsChargeback,   \* the wallet's sum of chargebacks is part of the write
  WriteRecordsKey,         \* the record of the key is part of the write
  WriteCredits             \* the credit of what is refunded is part of the write

VARIABLES original, wallets, process, used, records, faults
vars == <<original, wallets, process, used, records, faults>>

Keys == 1..MaxCommands
Commands == [amount : 0..Amount, chargeback : BOOLEAN]  \* amount 0: all that is left
None == [amount |-> 0, chargeback |-> FALSE]
Resting == [step |-> "rest", taken |-> 0, command |-> None, repeats |-> 0]

\* `back`: where refunds go, the payer's wallet or the world outside.
Init ==
  /\ original \in {[type |-> "transfer", status |-> "pending", refunded |-> 0],
                   [type |-> "charge", status |-> "completed", refunded |-> 0]}
  /\ wallets = [receiver |-> OtherMoney + (IF original.type = "charge" THEN Amount ELSE 0),
                back |-> 0, spent |-> 0, chargedBack |-> 0,
                transit |-> IF original.type = "charge" THEN 0 ELSE Amount]
  /\ process = [c \in Callers |-> Resting]
  /\ used = [c \in Callers |-> [key |-> 0, moves |-> 0]]  \* the caller's latest key, and the writes made with it
  /\ records = [c \in Callers |-> [k \in Keys |-> 0]]     \* the amounts of the refunds, by their keys
  /\ faults = {}

\* A worker ends the transfer.
Arrive ==
  /\ original.status = "pending"
  /\ original' = [original EXCEPT !.status = "completed"]
  /\ wallets' = [wallets EXCEPT !.transit = 0, !.receiver = @ + Amount]
  /\ UNCHANGED <<process, used, records, faults>>

Fail ==
  /\ original.status = "pending"
  /\ original' = [original EXCEPT !.status = "failed"]
  /\ wallets' = [wallets EXCEPT !.transit = 0, !.back = @ + Amount]
  /\ UNCHANGED <<process, used, records, faults>>

Spend ==
  /\ wallets.receiver > 0
  /\ wallets' = [wallets EXCEPT !.receiver = @ - 1, !.spent = @ + 1]
  /\ UNCHANGED <<original, process, used, records, faults>>

IsReplay(c) == used[c].moves > 0

\* Reads the original. What all that is left means is computed from it.
Read(c, command, repeats) ==
  /\ (StatusIsChecked /\ ~IsReplay(c)) => original.status = "completed"
  /\ command.chargeback => original.type = "charge"
  /\ LET left == Amount - original.refunded
     IN process' = [process EXCEPT ![c] =
          [step |-> "write", taken |-> IF command.amount = 0 THEN left ELSE command.amount,
           command |-> command, repeats |-> repeats]]

\* A caller sends a command with a new key.
Begin(c) ==
  /\ process[c].step = "rest" /\ used[c].key < MaxCommands
  /\ used' = [used EXCEPT ![c] = [key |-> @.key + 1, moves |-> 0]]
  /\ \E command \in Commands : Read(c, command, 0)
  /\ UNCHANGED <<original, wallets, records, faults>>

\* A caller sends its command again with the same key: its answer was lost, or its process has crashed.
Repeat(c) ==
  /\ process[c].step = "rest" /\ used[c].key > 0 /\ process[c].repeats < MaxRepeats
  /\ Read(c, process[c].command, process[c].repeats + 1)
  /\ UNCHANGED <<original, wallets, used, records, faults>>

----
\* A caller that may repeat its command keeps it.
Rests(c) ==
  process' = [process EXCEPT ![c] =
    IF @.repeats < MaxRepeats THEN [@ EXCEPT !.step = "rest", !.taken = 0]
    ELSE [Resting EXCEPT !.repeats = MaxRepeats]]

\* The one write of a command.
Condition(c) ==
  /\ process[c].taken > 0
  /\ StatusIsChecked => original.status = "completed"
  /\ WriteChecksSum => original.refunded + process[c].taken <= Amount
  /\ (WriteChecksFunds /\ ~process[c].command.chargeback) => wallets.receiver >= process[c].taken

Write(c) ==
  LET taken == process[c].taken
      chargedBack == IF process[c].command.chargeback THEN taken ELSE 0
  IN
  /\ process[c].step = "write"
  /\ IF (WriteRecordsKey /\ IsReplay(c)) \/ ~Condition(c)
     THEN UNCHANGED <<original, wallets, used, records, faults>>
     ELSE \E credited \in IF WriteCredits THEN {taken} ELSE {taken, 0},
             counted \in IF WriteUpdatesSum THEN {taken} ELSE {taken, 0},
             owed \in IF WriteCountsChargeback THEN {chargedBack} ELSE {chargedBack, 0} :
          /\ original' = [original EXCEPT !.refunded = @ + counted]
          /\ wallets' = [wallets EXCEPT !.receiver = @ - taken, !.back = @ + credited, !.chargedBack = @ + owed]
          /\ used' = [used EXCEPT ![c].moves = @ + 1]
          /\ records' = [records EXCEPT ![c][used[c].key] = @ + taken]
          /\ faults' = faults \cup (IF original.status = "completed" THEN {} ELSE {"refunded what had not arrived"})
  /\ Rests(c)

\* The process dies before its write. A death after it is a lost answer, after which the caller repeats.
Crash(c) ==
  /\ process[c].step = "write"
  /\ Rests(c)
  /\ UNCHANGED <<original, wallets, used, records, faults>>

Next ==
  \/ Arrive \/ Fail \/ Spend
  \/ \E c \in Callers : Begin(c) \/ Repeat(c) \/ Write(c) \/ Crash(c)

Spec == Init /\ [][Next]_vars

\* The callers are alike.
Alike == Permutations(Callers)

----
RECURSIVE SumOver(_, _)
SumOver(f, keys) == IF keys = {} THEN 0 ELSE LET k == CHOOSE k \in keys : TRUE IN f[k] + SumOver(f, keys \ {k})
Refunded == SumOver([c \in Callers |-> SumOver(records[c], Keys)], Callers)

NothingIsLost == wallets.receiver + wallets.back + wallets.spent + wallets.transit = Amount + OtherMoney
RefundedWithinAmount == Refunded <= Amount
SumIsOfRefunds == original.refunded = Refunded
OnlyChargebacksGoBelowZero == wallets.receiver >= -wallets.chargedBack
KeyMovesOnce == \A c \in Callers : used[c].moves <= 1
OnlyArrivedIsRefunded == "refunded what had not arrived" \notin faults
====
