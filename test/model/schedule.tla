---- MODULE schedule ----
(***************************************************************************)
(* The payments for later of one wallet: some that its owner schedules,    *)
(* and those of one standing order. Two requests of the owner schedule and *)
(* cancel, two sweepers advance the order, two workers execute. Processes  *)
(* crash, and the clocks of workers differ. Each payment is 1.             *)
(* A process reads, and then makes one conditional write.                  *)
(***************************************************************************)
EXTENDS Integers, FiniteSets, TLC

CONSTANTS
  Workers, Sweepers, Requests,
  Direct,      \* payments that the owner schedules, each under a key of its own
  MaxMade,     \* payments of the standing order
  Funds,       \* of the wallet
  Cap,         \* most scheduled payments with which the owner may schedule another one
  Skew,        \* most by which the clock of a worker differs from the time
  MaxTime, MaxCommands,  \* bounds of the search
  \* The protections. The model with one of them broken must violate an invariant.
  ExecuteChecksStatus, \* the write of an execution needs a payment that is scheduled
  ExecuteChecksTime,   \* it needs a time at or after that of the payment
  ExecuteDebits,       \* it has the debit of the wallet
  ExecuteCounts,       \* it has the wallet's count of scheduled payments
  CancelChecksStatus,  \* the write of a cancel needs a payment that is scheduled
  ScheduleChecksCap,   \* the write of a new payment compares the wallet's count
  MakeAdvances,        \* the write of an order's payment has the advance of the order
  CancelChecksMade,    \* the cancel of an order needs as many payments as were read
  EndCountsOrder       \* the write that ends an order has the wallet's count of orders

VARIABLES now, clock, payment, wallet, order, process, faults
vars == <<now, clock, payment, wallet, order, process, faults>>

\* The payments of the order have numbers, and their ids follow from these.
Payments == Direct \cup 1..MaxMade
TimeOf(p) == IF p \in Direct THEN 1 ELSE p
Processes == Workers \cup Sweepers \cup Requests
Nothing == 0

Resting == [step |-> "rest", target |-> Nothing, seen |-> 0, scheduled |-> {}, commands |-> 0]

Init ==
  /\ now = 0
  /\ clock \in [Workers -> {-Skew, Skew}]
  /\ payment = [p \in Payments |-> [status |-> "none", moves |-> 0]]
  /\ wallet = [available |-> Funds, spent |-> 0, scheduled |-> 0, orders |-> 1]
  /\ order = [status |-> "active", made |-> 0]
  /\ process = [x \in Processes |-> Resting]
  /\ faults = {}

Tick == now < MaxTime /\ now' = now + 1 /\ UNCHANGED <<clock, payment, wallet, order, process, faults>>

OrdersAfterEnd == IF EndCountsOrder THEN wallet.orders - 1 ELSE wallet.orders

Scheduled == {p \in Payments : payment[p].status = "scheduled"}

Begin(x, step, target, seen, scheduled) ==
  /\ process[x].step = "rest"
  /\ process' = [process EXCEPT ![x] = [@ EXCEPT !.step = step, !.target = target, !.seen = seen, !.scheduled = scheduled,
                                                 !.commands = IF x \in Requests THEN @ + 1 ELSE @]]
  /\ UNCHANGED <<now, clock, payment, wallet, order, faults>>

Rests(x) == process' = [process EXCEPT ![x] = [Resting EXCEPT !.commands = process[x].commands]]

\* The process dies before its write. A death after it is a lost answer.
Crash(x) ==
  /\ process[x].step # "rest"
  /\ Rests(x)
  /\ UNCHANGED <<now, clock, payment, wallet, order, faults>>

\* The owner pays at once, so that a payment may find too little.
Spend ==
  /\ wallet.available > 0 /\ wallet.spent = 0
  /\ wallet' = [wallet EXCEPT !.available = @ - 1, !.spent = 1]
  /\ UNCHANGED <<now, clock, payment, order, process, faults>>

----
\* Requests of the owner.

Reads(x) ==
  /\ process[x].commands < MaxCommands
  /\ \/ \E d \in Direct : Begin(x, "schedule", d, wallet.scheduled, {})
     \/ \E p \in Scheduled : Begin(x, "cancel", p, 0, {})
     \/ order.status = "active" /\ Begin(x, "cancel order", Nothing, order.made, Scheduled \cap (1..MaxMade))

\* A repetition meets the record of its key.
Schedule(x) ==
  /\ process[x].step = "schedule"
  /\ LET d == process[x].target
         count == IF ScheduleChecksCap THEN wallet.scheduled ELSE process[x].seen IN
     IF payment[d].status # "none" \/ count >= Cap
     THEN UNCHANGED <<payment, wallet>>
     ELSE /\ payment' = [payment EXCEPT ![d].status = "scheduled"]
          /\ wallet' = [wallet EXCEPT !.scheduled = @ + 1]
  /\ Rests(x)
  /\ UNCHANGED <<now, clock, order, faults>>

Cancel(x) ==
  /\ process[x].step = "cancel"
  /\ LET p == process[x].target IN
     IF CancelChecksStatus /\ payment[p].status # "scheduled"
     THEN UNCHANGED <<payment, wallet>>
     ELSE /\ payment' = [payment EXCEPT ![p].status = "failed"]
          /\ wallet' = [wallet EXCEPT !.scheduled = @ - 1]
  /\ Rests(x)
  /\ UNCHANGED <<now, clock, order, faults>>

\* Ends the order with the payments that it has scheduled. Is refused when one of them has changed, and reads again then.
CancelOrder(x) ==
  /\ process[x].step = "cancel order"
  /\ LET seen == process[x].scheduled IN
     IF \/ order.status # "active"
        \/ CancelChecksMade /\ order.made # process[x].seen
        \/ ~(seen \subseteq Scheduled)
     THEN UNCHANGED <<payment, wallet, order>>
     ELSE /\ payment' = [p \in Payments |-> IF p \in seen THEN [payment[p] EXCEPT !.status = "failed"] ELSE payment[p]]
          /\ wallet' = [wallet EXCEPT !.scheduled = @ - Cardinality(seen), !.orders = OrdersAfterEnd]
          /\ order' = [order EXCEPT !.status = "cancelled"]
  /\ Rests(x)
  /\ UNCHANGED <<now, clock, faults>>

----
\* A sweeper makes the next payment of the order. It may do so at any time before that of the payment.

ReadOrder(s) == order.status = "active" /\ Begin(s, "make", order.made + 1, order.made, {})

Make(s) ==
  /\ process[s].step = "make"
  /\ LET n == process[s].target
         isLast == n = MaxMade IN
     IF payment[n].status # "none" \/ order.status # "active" \/ order.made # process[s].seen
     THEN UNCHANGED <<payment, wallet, order>>
     ELSE \E advances \in IF MakeAdvances THEN {TRUE} ELSE BOOLEAN :
          /\ payment' = [payment EXCEPT ![n].status = "scheduled"]
          /\ wallet' = [wallet EXCEPT !.scheduled = @ + 1, !.orders = IF advances /\ isLast THEN OrdersAfterEnd ELSE @]
          /\ order' = IF advances
                      THEN [status |-> IF isLast THEN "completed" ELSE "active", made |-> n]
                      ELSE order
  /\ Rests(s)
  /\ UNCHANGED <<now, clock, faults>>

----
\* A worker executes a payment. Its message may come early, and twice.

ReadPayment(w) == \E p \in Scheduled : Begin(w, "execute", p, 0, {})

Execute(w) ==
  /\ process[w].step = "execute"
  /\ LET p == process[w].target
         isDue == now + clock[w] >= TimeOf(p) IN
     IF (ExecuteChecksStatus /\ payment[p].status # "scheduled") \/ (ExecuteChecksTime /\ ~isDue)
     THEN Rests(w) /\ UNCHANGED <<payment, wallet, faults>>
     ELSE IF wallet.available = 0
     THEN process' = [process EXCEPT ![w].step = "fail"] /\ UNCHANGED <<payment, wallet, faults>>
     ELSE \E debit \in IF ExecuteDebits THEN {1} ELSE {0, 1} : \E count \in IF ExecuteCounts THEN {1} ELSE {0, 1} :
          /\ payment' = [payment EXCEPT ![p] = [status |-> "pending", moves |-> @.moves + 1]]
          /\ wallet' = [wallet EXCEPT !.available = @ - debit, !.scheduled = @ - count]
          /\ faults' = IF now + Skew < TimeOf(p) THEN faults \cup {"executed too early"} ELSE faults
          /\ Rests(w)
  /\ UNCHANGED <<now, clock, order>>

\* The wallet has refused the payment, which ends in a further write.
Fail(w) ==
  /\ process[w].step = "fail"
  /\ LET p == process[w].target IN
     IF payment[p].status # "scheduled"
     THEN UNCHANGED <<payment, wallet>>
     ELSE /\ payment' = [payment EXCEPT ![p].status = "failed"]
          /\ wallet' = [wallet EXCEPT !.scheduled = @ - 1]
  /\ Rests(w)
  /\ UNCHANGED <<now, clock, order, faults>>

Next ==
  \/ Tick \/ Spend
  \/ \E x \in Requests : Reads(x) \/ Schedule(x) \/ Cancel(x) \/ CancelOrder(x)
  \/ \E s \in Sweepers : ReadOrder(s) \/ Make(s)
  \/ \E w \in Workers : ReadPayment(w) \/ Execute(w) \/ Fail(w)
  \/ \E x \in Processes : Crash(x)

Spec == Init /\ [][Next]_vars

\* Processes of a kind are alike, and so are the payments of the owner.
Alike == Permutations(Workers) \cup Permutations(Sweepers) \cup Permutations(Requests) \cup Permutations(Direct)

----
Made == {n \in 1..MaxMade : payment[n].status # "none"}
Pending == {p \in Payments : payment[p].status = "pending"}

NothingIsLost == wallet.available + wallet.spent + Cardinality(Pending) = Funds
ExecutedOnce == \A p \in Payments : payment[p].moves <= 1
FailedMovedNothing == \A p \in Payments : payment[p].status = "failed" => payment[p].moves = 0
ScheduledIsCounted == wallet.scheduled = Cardinality(Scheduled)
OrdersAreCounted == wallet.orders = IF order.status = "active" THEN 1 ELSE 0
WithinCap == Cardinality(Scheduled \cap Direct) <= Cap
NoEarlyExecution == "executed too early" \notin faults
OrderCountsPayments == Cardinality(Made) = order.made
CancelledOrderPaysNoMore == order.status = "cancelled" => Scheduled \cap (1..MaxMade) = {}
====
