---- MODULE withdrawal ----
(***************************************************************************)
(* One withdrawal, from its acceptance to its end: workers that crash or   *)
(* lose their claim, a bank whose answers are late or lost, or that does   *)
(* not accept a submit, a wallet that is frozen, the bank's notification,  *)
(* the cancellation and the operator. Time is counted in ticks.            *)
(* The code: withdrawals.ts and withdrawal-claims.ts of lambdas/store, and *)
(* withdrawals.ts and consult-bank.ts of lambdas/workers.                  *)
(***************************************************************************)
EXTENDS Integers, TLC

CONSTANTS
  Workers,
  MaxTime, MaxClaims, MaxCrashes,  \* bounds of the search
  Lease,        \* ticks for which a claim excludes other workers
  SubmitBudget, \* ticks after its claim in which a worker may have a submit under way
  CallTime,     \* ticks after which a worker gives a call to the bank up
  BankDelay,    \* ticks after which the bank has processed a submit, or never will
  NotFoundWindow, \* ticks after a submit in which "not found" proves nothing
  MaxAttempts,  \* visits to the bank before the withdrawal goes to review
  \* The protections. The model with one of them broken must violate an invariant.
  ClaimAnnouncesSubmit, \* a claim stores the latest time of its submit
  EndNeedsClaim,        \* only the worker that has the claim ends the withdrawal
  UnknownKeepsHold,     \* a lost answer is taken neither for a rejection nor for a payment
  CancelNeedsNoSubmit   \* a withdrawal that may have been submitted is not cancelled

VARIABLES now, record, worker, underway, bank, claims, crashes
vars == <<now, record, worker, underway, bank, claims, crashes>>

Nothing == -1
Later(a, b) == IF a > b THEN a ELSE b
IsOpen == record.status \in {"pending", "executing"}

Resting == [step |-> "rest", claimId |-> 0, claimedAt |-> 0, earlierDueAt |-> 0, earlierSubmitBy |-> Nothing,
            unreported |-> 0, submittedAt |-> Nothing, outcome |-> "none"]

Init ==
  /\ now = 0
  /\ record = [status |-> "pending", dueAt |-> 0, claimId |-> 0, submitBy |-> Nothing,
               attempts |-> 0, isVisited |-> FALSE, isCancelled |-> FALSE, holdEnds |-> 0]
  /\ worker = [w \in Workers |-> Resting]
  /\ underway = <<>>  \* the time of a submit -> how many submits of that time are under way
  /\ bank = [decision |-> "none", payments |-> 0]
  /\ claims = 0
  /\ crashes = 0

----
\* Time, and the network between us and the bank.

Underway == {t \in DOMAIN underway : underway[t] > 0}

\* No submit is under way for longer than the bank's delay.
Tick ==
  /\ now < MaxTime
  /\ \A t \in Underway : now < t + BankDelay - 1
  /\ now' = now + 1
  /\ UNCHANGED <<record, worker, underway, bank, claims, crashes>>

Arrives(t) == t \in Underway /\ underway' = [underway EXCEPT ![t] = @ - 1]

SubmitIsLost(t) == Arrives(t) /\ UNCHANGED <<now, record, worker, bank, claims, crashes>>

\* The worst bank: it pays again when it gets the same reference again. A rejection stays.
BankDecides(t, decision) ==
  /\ Arrives(t)
  /\ bank' = IF bank.decision = "rejected" THEN bank
             ELSE IF "paid" \in {bank.decision, decision}
                  THEN [decision |-> "paid", payments |-> bank.payments + 1]
                  ELSE [bank EXCEPT !.decision = "rejected"]
  /\ UNCHANGED <<now, record, worker, claims, crashes>>

----
\* The workers.

\* A worker whose clock is ahead claims what is not due, or what another works on. It learns of its clock, and leaves.
Claim(w) ==
  /\ worker[w].step = "rest" /\ IsOpen /\ claims < MaxClaims
  /\ claims' = claims + 1
  /\ record' = [record EXCEPT !.status = "executing", !.dueAt = now + Lease, !.claimId = claims',
                              !.submitBy = IF ClaimAnnouncesSubmit THEN now + SubmitBudget ELSE @]
  /\ worker' = [worker EXCEPT ![w] =
       [Resting EXCEPT !.step = IF record.dueAt > now THEN "leave" ELSE IF record.submitBy = Nothing THEN "submit" ELSE "ask",
                       !.claimId = claims', !.earlierDueAt = IF record.dueAt > now THEN record.dueAt ELSE 0,
                       !.claimedAt = now, !.earlierSubmitBy = record.submitBy,
                       !.unreported = IF record.claimId = 0 THEN 0 ELSE 1]]
  /\ UNCHANGED <<now, underway, bank, crashes>>

HasClaim(w) == record.status = "executing" /\ record.claimId = worker[w].claimId

\* Gives the claim back. A visit counts, and so does that of a worker that claimed and reported nothing.
PutBack(w, dueAt, submitBy, visits) ==
  LET attempts == record.attempts + worker[w].unreported + visits IN
  /\ record' = IF ~HasClaim(w) THEN record
               ELSE [record EXCEPT !.dueAt = dueAt, !.submitBy = submitBy, !.claimId = 0, !.attempts = attempts,
                                   !.isVisited = @ \/ attempts > record.attempts]
  /\ worker' = [worker EXCEPT ![w] = Resting]

\* After a visit without an answer. After the last one that counts an operator must decide.
PutBackOrReview(w, dueAt, submitBy) ==
  LET attempts == record.attempts + worker[w].unreported + 1 IN
  IF HasClaim(w) /\ attempts >= MaxAttempts
  THEN /\ record' = [record EXCEPT !.status = "review", !.claimId = 0, !.submitBy = Nothing, !.attempts = attempts,
                                   !.isVisited = TRUE]
       /\ worker' = [worker EXCEPT ![w] = Resting]
  ELSE PutBack(w, dueAt, submitBy, 1)

\* Submits nothing, and asks nothing more: the wallet is frozen, the bank is known to be down, or the worker's clock is
\* doubted.
Leave(w) ==
  /\ worker[w].step \in {"leave", "ask", "submit"}
  /\ PutBack(w, Later(now, worker[w].earlierDueAt), worker[w].earlierSubmitBy, 0)
  /\ UNCHANGED <<now, underway, bank, claims, crashes>>

Hears(w) ==
  /\ bank.decision # "none"
  /\ worker' = [worker EXCEPT ![w].step = "end", ![w].outcome = bank.decision]
  /\ UNCHANGED record

\* Asks about an earlier submit: the bank's decision, "not found", or a lost answer. "Not found" before the end of the window
\* never leads to review, as the next answer is definite.
Ask(w) ==
  /\ worker[w].step = "ask"
  /\ LET windowEnd == worker[w].earlierSubmitBy + NotFoundWindow IN
     \/ Hears(w)
     \/ /\ bank.decision = "none"
        /\ IF now < windowEnd
           THEN PutBack(w, windowEnd, worker[w].earlierSubmitBy, 1)
           ELSE worker' = [worker EXCEPT ![w].step = "submit"] /\ UNCHANGED record
     \/ PutBackOrReview(w, Later(now + 1, windowEnd), worker[w].earlierSubmitBy)
  /\ UNCHANGED <<now, underway, bank, claims, crashes>>

\* A worker that comes too late for its announced time submits nothing.
Submit(w) ==
  /\ worker[w].step = "submit"
  /\ IF now > worker[w].claimedAt + SubmitBudget - CallTime
     THEN PutBack(w, now, worker[w].earlierSubmitBy, 0) /\ UNCHANGED underway
     ELSE /\ underway' = (now :> (IF now \in DOMAIN underway THEN underway[now] + 1 ELSE 1)) @@ underway
          /\ worker' = [worker EXCEPT ![w].step = "wait", ![w].submittedAt = now]
          /\ UNCHANGED record
  /\ UNCHANGED <<now, bank, claims, crashes>>

Wait(w) ==
  /\ worker[w].step = "wait"
  /\ \/ now <= worker[w].submittedAt + CallTime /\ Hears(w)
     \/ IF UnknownKeepsHold
        THEN PutBackOrReview(w, Later(now + 1, now + NotFoundWindow), now)
        ELSE \E outcome \in {"paid", "rejected"} :
               worker' = [worker EXCEPT ![w].step = "end", ![w].outcome = outcome] /\ UNCHANGED record
  /\ UNCHANGED <<now, underway, bank, claims, crashes>>

\* The bank has done no work for this submit, and says so. Such a visit does not count. When the bank has accepted
\* nothing for a day, an operator must decide.
NotAccepted(w) ==
  /\ worker[w].step = "wait" /\ now <= worker[w].submittedAt + CallTime
  /\ Arrives(worker[w].submittedAt)
  /\ LET attempts == record.attempts + worker[w].unreported IN
     \E status \in {"executing", "review"} :
       record' = IF ~HasClaim(w) THEN record
                 ELSE [record EXCEPT !.status = status, !.dueAt = now + 1, !.submitBy = Nothing, !.claimId = 0,
                                     !.attempts = attempts, !.isVisited = TRUE]
  /\ worker' = [worker EXCEPT ![w] = Resting]
  /\ UNCHANGED <<now, bank, claims, crashes>>

Ended(decision) ==
  [record EXCEPT !.status = IF decision = "paid" THEN "completed" ELSE "failed", !.claimId = 0, !.holdEnds = @ + 1]

End(w) ==
  /\ worker[w].step = "end"
  /\ record' = IF HasClaim(w) \/ ~EndNeedsClaim THEN Ended(worker[w].outcome) ELSE record
  /\ worker' = [worker EXCEPT ![w] = Resting]
  /\ UNCHANGED <<now, underway, bank, claims, crashes>>

Crash(w) ==
  /\ worker[w].step # "rest" /\ crashes < MaxCrashes
  /\ crashes' = crashes + 1
  /\ worker' = [worker EXCEPT ![w] = Resting]
  /\ UNCHANGED <<now, record, underway, bank, claims>>

----
\* The other ways to an end.

Notification ==
  /\ (IsOpen \/ record.status = "review") /\ bank.decision # "none"
  /\ record' = Ended(bank.decision)
  /\ UNCHANGED <<now, worker, underway, bank, claims, crashes>>

\* Before a submit, by the owner or an operator.
Cancel ==
  /\ IsOpen /\ (CancelNeedsNoSubmit => record.submitBy = Nothing /\ ~record.isVisited)
  /\ record' = [record EXCEPT !.status = "failed", !.claimId = 0, !.isCancelled = TRUE, !.holdEnds = @ + 1]
  /\ UNCHANGED <<now, worker, underway, bank, claims, crashes>>

\* An operator agrees the outcome with the bank, in review or before: after that the bank never pays what it has not paid.
Agree ==
  /\ bank.decision = "none"
  /\ bank' = [bank EXCEPT !.decision = "rejected"]
  /\ UNCHANGED <<now, record, worker, underway, claims, crashes>>

Resolve ==
  /\ record.status = "review" /\ bank.decision # "none"
  /\ record' = Ended(bank.decision)
  /\ UNCHANGED <<now, worker, underway, bank, claims, crashes>>

Next ==
  \/ Tick \/ Notification \/ Cancel \/ Agree \/ Resolve
  \/ \E w \in Workers : Claim(w) \/ Leave(w) \/ Ask(w) \/ Submit(w) \/ Wait(w) \/ NotAccepted(w) \/ End(w) \/ Crash(w)
  \/ \E t \in Underway : SubmitIsLost(t) \/ \E decision \in {"paid", "rejected"} : BankDecides(t, decision)

Spec == Init /\ [][Next]_vars

----
PaidOnce == bank.payments <= 1
CompletedOnlyIfPaid == record.status = "completed" => bank.decision = "paid"
FailedOnlyIfRejected == (record.status = "failed" /\ ~record.isCancelled) => bank.decision = "rejected"
CancelledNeverPaid == record.isCancelled => bank.payments = 0
HoldEndsOnce == record.holdEnds <= 1
====
