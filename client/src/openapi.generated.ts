// Written by `npm run schemas` from docs/openapi.json: do not edit.
export interface paths {
    "/wallets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The caller's own wallets, or those of the owner that an operator names, by id
         * @description The caller's own wallets, or those of the owner that an operator names, by id.
         */
        get: operations["listWallets"];
        put?: never;
        /**
         * Opens an empty wallet for the caller, or for any owner when the caller is an operator
         * @description Opens an empty wallet for the caller, or for any owner when the caller is an operator.
         */
        post: operations["createWallet"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The wallet with its balance, as of the last write that was answered
         * @description The wallet with its balance, as of the last write that was answered.
         */
        get: operations["getWallet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes the name, the alias and the metadata of a wallet, as a JSON Merge Patch
         * @description Changes the name, the alias and the metadata of a wallet, as a JSON Merge Patch. `null` removes the name, the alias, all metadata, or one key of the metadata. A member that is absent stays as it is. For the wallet's owner and for operators. No other party sees name and metadata.
         */
        patch: operations["changeWallet"];
        trace?: never;
    };
    "/wallets/{walletId}/balance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The balance of a wallet, by the cheapest read of the service
         * @description The balance of a wallet, by the cheapest read of the service. It may be some milliseconds behind. With `?consistent=true` it includes every command that was answered before. The wallet's version is its entity tag. With `?at=` it is the balance at a moment, from the wallet's ledger. While the ledger lacks that moment, the answer is 503 `ledger_behind`. Within a minute of the moment `final` is false: a command that began before it may still be booked.
         */
        get: operations["getBalance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/charge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Books money from outside into a wallet, at once
         * @description Books money from outside into a wallet, at once. A large charge may need the approval of a second operator. The wallet gets the amount less the fee, where there is one. With `dryRun` the answer is the fee, and no money moves. Only callers that may read the wallet learn what its limits leave, as that shows its balance.
         */
        post: operations["charge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pays money out through the bank
         * @description Pays money out through the bank. The money is held, and the answer comes before the payment: a worker calls the bank. The fee, where there is one, is held too. With `dryRun` the answer is the fee, and no money moves. With `executeAt` no money is held before that time.
         */
        post: operations["withdraw"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Moves money from this wallet to another one, at once
         * @description Moves money from this wallet to another one, at once. A transfer is queued when the client prefers `respond-async`, or when many pay the receiver at the same time. Then the sender is debited at once, and a worker credits the receiver. The sender also pays the fee, where there is one. With `dryRun` the answer is the fee, and no money moves. With `executeAt` no money moves before that time.
         */
        post: operations["transfer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/transactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The transactions in which the wallet pays or receives, newest first
         * @description The transactions in which the wallet pays or receives, newest first. A page without `nextCursor` is the last one. Any other page may be short.
         */
        get: operations["listTransactions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Finds transactions of many wallets, newest first
         * @description Finds transactions of many wallets, newest first. A caller finds those of its own wallets. An operator names an owner, a reference, or a status of open work. Open work of all wallets is listed by the time when it is due, the latest first. A page without `nextCursor` is the last one. Any other page may be short.
         */
        get: operations["findTransactions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transactions/{transactionId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One transaction, for callers whose wallets it moves
         * @description One transaction, for callers whose wallets it moves.
         */
        get: operations["getTransaction"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/receipts/{receiptCode}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The transaction that a receipt names
         * @description The transaction that a receipt names.
         */
        get: operations["getReceipt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The wallet's ledger, newest first
         * @description The wallet's ledger, newest first. An entry has the change of one version, the balance after it, and a hash chained to the entry before. The ledger is some seconds behind the wallet.
         */
        get: operations["listEntries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/statement": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The movements of the wallet's total in a period, with the balances before and after them
         * @description The movements of the wallet's total in a period, with the balances before and after them. `format` or `Accept` chooses JSON, CSV or camt.053. All of it comes from the wallet's ledger. While the ledger lacks a part of the period, the answer is 503 `ledger_behind`: no line is left out. JSON comes in pages with `limit`.
         */
        get: operations["getStatement"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/statements": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks for a statement of any length as a file
         * @description Asks for a statement of any length as a file. What it covers is fixed now: a worker makes the file up to the last entry of the period as the ledger has it.
         */
        post: operations["createStatementFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/statements/{statementId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the file is ready, and a link to it
         * @description Whether the file is ready, and a link to it.
         */
        get: operations["getStatementFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/totals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What moved in the wallets of an owner in a month (UTC), by currency and type
         * @description What moved in the wallets of an owner in a month (UTC), by currency and type. Each total has the number of lines, the sums in and out, and the fees. An answer with `nextCursor` covers a part: add up the parts. While a ledger lacks a part of the month, the answer is 503 `ledger_behind`.
         */
        get: operations["getTotals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/freeze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stops money from entering and leaving
         * @description Stops money from entering and leaving. A withdrawal that has not left for the bank waits until the wallet is unfrozen. One that may have left still ends.
         */
        post: operations["freeze"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/unfreeze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Lets money move again, also out of a closed wallet that it came back to
         * @description Lets money move again, also out of a closed wallet that it came back to. Withdrawals that waited go on within six minutes. Owners do not unfreeze their own wallets. It may need the approval of a second operator.
         */
        post: operations["unfreeze"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends an empty wallet for good
         * @description Ends an empty wallet for good. The refusal names what keeps its money held.
         */
        post: operations["close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Replaces all limits of a wallet, by new ones or by those of a tier
         * @description Replaces all limits of a wallet, by new ones or by those of a tier. `limits: {}` removes them. Owners do not set the limits of their own wallets. A credit line is money that the wallet may spend. So an operator gives at most what it may charge, unless `credit` has an operator limit of its own. A line that the wallet has already may stay. A change that raises a limit may need the approval of a second operator.
         */
        put: operations["setLimits"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transactions/{transactionId}/resolve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * An operator who knows the bank's outcome ends a withdrawal in review
         * @description An operator who knows the bank's outcome ends a withdrawal in review. Operators do not resolve their own withdrawals. It may need the approval of a second operator. The route reads first, because only the record has the wallet and the amount. The write's condition decides.
         */
        post: operations["resolve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transactions/{transactionId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends a withdrawal that has not left for the bank, and gives its money back
         * @description Ends a withdrawal that has not left for the bank, and gives its money back. Ends a scheduled payment that was not executed. For the wallet's owner and for operators. It reads first, because only the record has the wallet and the amount. The write's condition decides.
         */
        post: operations["cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Promises money to another wallet until `expiresAt`, a minute to 31 days ahead
         * @description Promises money to another wallet until `expiresAt`, a minute to 31 days ahead. The money is held. The receiver captures it or releases it. What is left comes back when the hold expires. Without a receiver only operators can capture it, to the world outside.
         */
        post: operations["openHold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/holds/{transactionId}/capture": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes held money, all that is left or a part
         * @description Takes held money, all that is left or a part. It goes to the wallet that the hold names, or to the world outside. For the owner of that wallet and for operators. With `final` the payer gets back what is left then. The wallet gets the amount less the fee, where there is one. With `dryRun` the answer is the fee, and no money moves.
         */
        post: operations["capture"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/holds/{transactionId}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends a hold, and gives what is left back to the payer
         * @description Ends a hold, and gives what is left back to the payer. For the owner of the wallet that the hold names and for operators. The payer waits until it expires.
         */
        post: operations["release"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transactions/{transactionId}/refund": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Gives back a transfer or capture to the wallet that paid it, all that is left or a part
         * @description Gives back a transfer or capture to the wallet that paid it, all that is left or a part. For the owner of the wallet that received it and for operators. Operators also refund charges, to the world outside. `chargeback` books that the world outside has already taken back the money of a charge. The refund of an operator may need the approval of a second operator.
         */
        post: operations["refund"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transfers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Transfers that are booked together, all or none, in one write
         * @description Transfers that are booked together, all or none, in one write. An owner pays from its own wallets only. Each leg is a transfer of its own: with a receipt, an event, refunds, and the fee of a transfer. With `dryRun` the answer is the fees, and no money moves.
         */
        post: operations["split"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wallets/{walletId}/standing-orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The standing orders of the wallet, active and ended, the newest first
         * @description The standing orders of the wallet, active and ended, the newest first.
         */
        get: operations["listStandingOrders"];
        put?: never;
        /**
         * Opens a standing order: a payment that repeats every week or month
         * @description Opens a standing order: a payment that repeats every week or month. It pays another wallet (`toWalletId`, or `to`, its alias), or an account through the bank (`destination`). Each payment is scheduled a week before its time, and executed as any scheduled payment.
         */
        post: operations["openStandingOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/standing-orders/{standingOrderId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One standing order, for the owner of its wallet
         * @description One standing order, for the owner of its wallet.
         */
        get: operations["getStandingOrder"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/standing-orders/{standingOrderId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends a standing order, and cancels its payments that are scheduled and not executed yet
         * @description Ends a standing order, and cancels its payments that are scheduled and not executed yet. For the wallet's owner and for operators.
         */
        post: operations["cancelStandingOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/approvals/{approvalId}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Executes a command that another operator asked for, in the write that ends its approval
         * @description Executes a command that another operator asked for, in the write that ends its approval. Callers need the scope of the command. The asker, the owners of its wallets and the requester of the withdrawal are refused. When the command is refused, the approval stays open until it expires.
         */
        post: operations["approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/approvals/{approvalId}/reject": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends an approval without executing its command
         * @description Ends an approval without executing its command. For operators with the scope of the command. The asker may reject it too, to withdraw the request.
         */
        post: operations["reject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/approvals/{approvalId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A command that needs two operators, and its state
         * @description A command that needs two operators, and its state. For operators who read everything, and for those with the scope of the command.
         */
        get: operations["getApproval"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The commands that wait for a second operator, the next to expire first
         * @description The commands that wait for a second operator, the next to expire first. With `status=expired`: those that expired without a decision, the latest first.
         */
        get: operations["listApprovals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Up to 10,000 transfers and withdrawals, one JSON object on each line
         * @description Up to 10,000 transfers and withdrawals, one JSON object on each line. The file is checked and stored as a whole, and a worker makes the payments. Each has the fee of a single command.
         */
        post: operations["createBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/batches/{batchId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The progress of a batch
         * @description The progress of a batch.
         */
        get: operations["getBatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/batches/{batchId}/items": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The lines of a batch in the order of the file, each with its state now
         * @description The lines of a batch in the order of the file, each with its state now. A page without `nextCursor` is the last one. Any other page may be short.
         */
        get: operations["listBatchItems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/notification-preferences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The preferences of the caller, or of the owner that an operator names
         * @description The preferences of the caller, or of the owner that an operator names.
         */
        get: operations["getNotificationPreferences"];
        /**
         * Replaces the preferences of the caller, or of the owner that an operator names
         * @description Replaces the preferences of the caller, or of the owner that an operator names.
         */
        put: operations["putNotificationPreferences"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The endpoints, the oldest first
         * @description The endpoints, the oldest first.
         */
        get: operations["listWebhooks"];
        put?: never;
        /**
         * Adds an endpoint that gets events
         * @description Adds an endpoint that gets events. The answer has its secret. A repetition shows the secret for an hour, as the first answer may be lost.
         */
        post: operations["createWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{webhookId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One endpoint
         * @description One endpoint.
         */
        get: operations["getWebhook"];
        /**
         * Enables, disables or deletes an endpoint, and changes the types of its events
         * @description Enables, disables or deletes an endpoint, and changes the types of its events. An endpoint that is active again gets the events that were stored meanwhile.
         */
        put: operations["putWebhook"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{webhookId}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes a new secret
         * @description Makes a new secret. For one more day each delivery is signed with the former secret too.
         */
        post: operations["rotateWebhookSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{webhookId}/ping": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a test event to the endpoint
         * @description Sends a test event to the endpoint. It is signed, retried and listed as any delivery.
         */
        post: operations["pingWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{webhookId}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends deliveries again: those of the events from `from` up to this request
         * @description Sends deliveries again: those of the events from `from` up to this request. A worker sends them, a hundred at a time.
         */
        post: operations["replayWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{webhookId}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The deliveries of an endpoint, those of the newest events first
         * @description The deliveries of an endpoint, those of the newest events first.
         */
        get: operations["listWebhookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/integrity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The discrepancies, the progress through the closed hours, and the progress of the pass over all books
         * @description The discrepancies, the progress through the closed hours, and the progress of the pass over all books. A job does the work (docs/integrity.md). This route only reads what the job has stored.
         */
        get: operations["integrity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bank/notifications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The bank's own reports about payments, signed with its own key
         * @description The bank's own reports about payments, signed with its own key. Late outcomes end the withdrawal; `returned` brings the money back as a transaction of its own. Each has its effect once, however often it is delivered.
         */
        post: operations["bankNotifications"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the service can do its work, for every caller
         * @description Whether the service can do its work, for every caller. With an operator's token it also shows how much work waits. A bank that is down does not make the service unhealthy: withdrawals are accepted, and wait.
         */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        /**
         * Whether the service can do its work, for every caller
         * @description Whether the service can do its work, for every caller. With an operator's token it also shows how much work waits. A bank that is down does not make the service unhealthy: withdrawals are accepted, and wait.
         */
        head: operations["headHealth"];
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This description of the API, for generators of clients
         * @description This description of the API, for generators of clients.
         */
        get: operations["getDescription"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The same as a page, for people
         * @description The same as a page, for people.
         */
        get: operations["getReference"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Wallet: {
            /** @description The id of the wallet */
            walletId: string;
            /** @description The owner: the `sub` of its tokens */
            ownerId: string;
            /** @description ISO 4217, in upper case */
            currency: string;
            /** @description The state that it is in. Known: active, frozen, closed */
            status: string;
            /** @description The balance, as of the last change */
            balance: {
                /** @description The id of the wallet */
                walletId: string;
                /** @description ISO 4217, in upper case */
                currency: string;
                /** @description In minor units; a chargeback or a credit line may bring it below zero, and money that came back may raise it beyond 2^53-1 */
                available: number;
                /** @description In minor units; money that came back may raise it beyond 2^53-1 */
                held: number;
                /** @description In minor units; a chargeback or a credit line may bring it below zero, and money that came back may raise it beyond 2^53-1 */
                total: number;
                /** @description Counts the changes of the wallet; 0 is its opening */
                version: number;
            };
            /** @description The sum of its chargebacks, in minor units; absent while there is none */
            chargedBack?: number;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            updatedAt: string;
            /** @description The latest command that set the status */
            lastStatusChange?: {
                /** @description The state that it is in. Known: active, frozen, closed */
                status: string;
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC
                 */
                at: string;
                /** @description For operators */
                actor?: {
                    /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                    kind: string;
                    /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                    principal: string;
                    /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                    issuer?: string;
                };
                /** @description For operators */
                reason?: string;
                /** @description For operators */
                approvedBy?: {
                    /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                    kind: string;
                    /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                    principal: string;
                    /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                    issuer?: string;
                };
            };
            /**
             * LimitValues
             * @description In minor units; absent when the wallet has none
             */
            limits?: {
                /** @description Limits of transfers sent, withdrawals, and holds when they are opened */
                out?: {
                    /** @description The most that one of them may move */
                    perTransaction?: number;
                    /** @description The most that they may move together in a day (UTC) */
                    perDay?: number;
                    /** @description The most that they may move together in a month (UTC) */
                    perMonth?: number;
                };
                /** @description Limits of charges, and of transfers and captures received */
                in?: {
                    /** @description The most that one of them may move */
                    perTransaction?: number;
                    /** @description The most that they may move together in a day (UTC) */
                    perDay?: number;
                    /** @description The most that they may move together in a month (UTC) */
                    perMonth?: number;
                };
                /** @description The least that money out may leave available */
                minimumBalance?: number;
                /** @description How far below zero money out may take the available money */
                creditLine?: number;
                /** @description The most that money in may bring the total to */
                maximumBalance?: number;
            };
            /** @description The latest command that set the limits */
            lastLimitsChange?: {
                /** @description Counts the commands that set the limits */
                version: number;
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC
                 */
                at: string;
                /** @description The tier that the limits were copied from */
                tier?: string;
                /** @description For operators */
                actor?: {
                    /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                    kind: string;
                    /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                    principal: string;
                    /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                    issuer?: string;
                };
                /** @description For operators */
                reason?: string;
                /** @description For operators */
                approvedBy?: {
                    /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                    kind: string;
                    /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                    principal: string;
                    /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                    issuer?: string;
                };
            };
            /** @description What the wallet is called; absent where it has no name */
            name?: string;
            /** @description The alias of the wallet, without the @; absent where it has none */
            alias?: string;
            /** @description Texts about the wallet; absent where it has none */
            metadata?: {
                [key: string]: string;
            };
            /** @description For operators */
            createdBy?: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
            /** @description The days and months with a limit */
            limitWindows?: {
                /** @description The limit. Known: out.perMonth, out.perDay, in.perMonth, in.perDay */
                limit: string;
                /** @description Its amount, in minor units */
                most: number;
                /** @description What counts against it since the window began, in minor units */
                used: number;
                /** @description What it still allows, in minor units */
                left: number;
                /**
                 * Format: date-time
                 * @description When the next window begins, with nothing used
                 */
                resetsAt: string;
            }[];
        };
        WalletLimits: {
            /** @description The id of the wallet */
            walletId: string;
            /** @description In minor units; empty when there are none */
            limits: {
                /** @description Limits of transfers sent, withdrawals, and holds when they are opened */
                out?: {
                    /** @description The most that one of them may move */
                    perTransaction?: number;
                    /** @description The most that they may move together in a day (UTC) */
                    perDay?: number;
                    /** @description The most that they may move together in a month (UTC) */
                    perMonth?: number;
                };
                /** @description Limits of charges, and of transfers and captures received */
                in?: {
                    /** @description The most that one of them may move */
                    perTransaction?: number;
                    /** @description The most that they may move together in a day (UTC) */
                    perDay?: number;
                    /** @description The most that they may move together in a month (UTC) */
                    perMonth?: number;
                };
                /** @description The least that money out may leave available */
                minimumBalance?: number;
                /** @description How far below zero money out may take the available money */
                creditLine?: number;
                /** @description The most that money in may bring the total to */
                maximumBalance?: number;
            };
            /** @description The tier that the limits were copied from */
            tier?: string;
            /** @description Counts the commands that set the limits */
            version: number;
            /**
             * Format: date-time
             * @description When they were set
             */
            setAt?: string;
            /** @description By whom */
            setBy?: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
            /** @description Why, in the words of the operator */
            reason?: string;
            /** @description The second operator, where one had to approve it */
            approvedBy?: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
        };
        WalletPage: {
            /** @description The page */
            items: components["schemas"]["Wallet"][];
            /** @description Absent on the last page; send it as `cursor` */
            nextCursor?: string;
        };
        Balance: {
            /** @description The id of the wallet */
            walletId: string;
            /** @description ISO 4217, in upper case */
            currency: string;
            /** @description In minor units; a chargeback or a credit line may bring it below zero, and money that came back may raise it beyond 2^53-1 */
            available: number;
            /** @description In minor units; money that came back may raise it beyond 2^53-1 */
            held: number;
            /** @description In minor units; a chargeback or a credit line may bring it below zero, and money that came back may raise it beyond 2^53-1 */
            total: number;
            /** @description Counts the changes of the wallet; 0 is its opening */
            version: number;
            /**
             * Format: date-time
             * @description The moment in the parameter `at`
             */
            at?: string;
            /** @description With `at`: `false` within a minute of the moment, while a command that began before it may still be booked */
            final?: boolean;
        };
        Transaction: {
            /** @description The id of the transaction */
            transactionId: string;
            /** @description The code that finds the receipt */
            receiptCode: string;
            /** @description The kind of transaction. Known: charge, withdrawal, transfer, return, hold, capture, refund, collection */
            type: string;
            /** @description The state that it is in. Known: scheduled, pending, executing, completed, failed, review, open, ended */
            status: string;
            /** @description In minor units */
            amount: number;
            /** @description In minor units. Of a transfer or withdrawal: the wallet pays it on top of the amount. Of a charge or capture: the receiving wallet gets the amount less the fee. Absent when there is none */
            fee?: number;
            /** @description ISO 4217, in upper case */
            currency: string;
            /** @description The id of the wallet */
            walletId: string;
            /** @description The alias by which the payer named the receiver */
            to?: string;
            /** @description For a transfer, hold, capture or refund: the receiving wallet; absent where the world outside receives the money */
            counterpartyWalletId?: string;
            /** @description The destination of a withdrawal */
            destination?: {
                /** @description All but the last four characters hidden */
                account: string;
                /** @description The account's holder; at most 128 UTF-16 units */
                name?: string;
            };
            /** @description All postings so far, in order */
            postings: {
                /** @description The account that the amount is booked on */
                account: string;
                /** @description Signed, in minor units; all of them sum to zero */
                amount: number;
            }[];
            /** @description Why it failed */
            failure?: {
                /** @description Distinguishes the reasons */
                code: string;
                /** @description For people */
                message: string;
            };
            /** @description Visits to the bank, in order */
            attempts?: {
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC
                 */
                at: string;
                /** @description Whether the payment was submitted on this visit, and not only asked about */
                submitted: boolean;
                /** @description How it ended. Known: accepted, rejected, not_accepted, unknown */
                outcome: string;
                /** @description The result of the visit */
                reason?: string;
            }[];
            /** @description How an operator ended a withdrawal in review */
            resolution?: {
                /** @description How it ended. Known: completed, failed */
                outcome: string;
                /** @description For operators */
                evidence?: string;
                /** @description For operators */
                principal?: string;
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC
                 */
                at: string;
                /** @description For operators */
                approvedBy?: {
                    /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                    kind: string;
                    /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                    principal: string;
                    /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                    issuer?: string;
                };
            };
            /** @description How a withdrawal was ended before it left for the bank, or a scheduled payment before it was executed */
            cancellation?: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                by: string;
                /** @description The owner's words, where the owner cancelled */
                reason?: string;
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC
                 */
                at: string;
                /** @description For operators */
                actor?: {
                    /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                    kind: string;
                    /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                    principal: string;
                    /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                    issuer?: string;
                };
            };
            /** @description Why an open withdrawal is not submitted: it goes on by itself when its wallet is unfrozen, or the bank opens. Known: wallet_frozen, bank_closed */
            waitingFor?: string;
            /**
             * Format: date-time
             * @description When a scheduled payment is executed, or was to be; ISO 8601, UTC
             */
            executeAt?: string;
            /**
             * Format: date-time
             * @description When a scheduled payment was executed: its money moves from then on
             */
            executedAt?: string;
            /** @description The standing order that made the payment */
            standingOrderId?: string;
            /** @description For a return: the withdrawal whose payment came back; for a capture: the hold; for a refund: what it gives back */
            originalTransactionId?: string;
            /** @description For a withdrawal whose payment came back: the return */
            returnTransactionId?: string;
            /** @description The split that a transfer is a leg of */
            splitId?: string;
            /** @description The first of the transactions that were booked together in the wallet */
            sentWith?: string;
            /** @description The first of the transfers that were credited together */
            settledWith?: string;
            /** @description The batch whose line asked for the transaction */
            batchId?: string;
            /**
             * Format: date-time
             * @description From when on nothing of the hold can be captured; ISO 8601, UTC
             */
            expiresAt?: string;
            /** @description The sum of the captures of the hold, in minor units */
            captured?: number;
            /** @description How the hold ended: a capture took or gave back what was left, it was released, or it expired. Known: captured, released, expired */
            end?: string;
            /** @description Why the refund was made, in the words of the actor */
            reason?: string;
            /**
             * @description The world outside had taken the money already, so that its refund was booked whatever the balance
             * @constant
             */
            chargeback?: true;
            /** @description Why the hold was released; an operator's reason is shown to operators only */
            releaseReason?: string;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /**
             * @description No other command may have its reference
             * @constant
             */
            uniqueReference?: true;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            updatedAt: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            completedAt?: string;
            /** @description Counts the collections of fees in this currency */
            sequence?: number;
            /** @description The sum of these collections up to and with this one, in minor units */
            collected?: number;
            /** @description The sum of the refunds of the transaction, in minor units; absent while there is none */
            refunded?: number;
            /** @description The ids of these refunds, in their order */
            refunds?: string[];
            /**
             * Format: date-time
             * @description When it was imported from another system; its other times are those that it had there
             */
            importedAt?: string;
            /**
             * @description It is the balance that the wallet brought along from another system
             * @constant
             */
            opening?: true;
            /** @description For operators */
            requestedBy?: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
            /** @description For operators */
            endedBy?: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
            /** @description For operators */
            approvedBy?: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
        };
        TransactionPage: {
            /** @description May be fewer than asked for, or none, while there is more */
            items: components["schemas"]["Transaction"][];
            /** @description Absent on the last page; send it as `cursor` */
            nextCursor?: string;
        };
        Split: {
            /** @description The id of the split, which each leg has */
            splitId: string;
            /** @description The sum of the legs, in minor units */
            amount: number;
            /** @description ISO 4217, in upper case */
            currency: string;
            /** @description The transfer of each leg, in the order of the request */
            legs: components["schemas"]["Transaction"][];
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            createdAt: string;
        };
        DryRun: {
            /**
             * @description Nothing has moved
             * @constant
             */
            dryRun: true;
            /** @description The kind of the transaction that the command would make. Known: transfer, withdrawal, capture, charge */
            type: string;
            /** @description In minor units */
            amount: number;
            /** @description ISO 4217, in upper case */
            currency: string;
            /** @description In minor units; 0 when there is none */
            fee: number;
            /** @description What the paying side gives, in minor units: of a transfer or withdrawal with the fee */
            paid: number;
            /** @description What the receiving side gets, in minor units: of a charge or capture less the fee */
            received: number;
        };
        StandingOrder: {
            /** @description The id of the standing order */
            standingOrderId: string;
            /** @description The state that it is in. Known: active, ended */
            status: string;
            /** @description The id of the wallet */
            walletId: string;
            /** @description In minor units */
            amount: number;
            /** @description The fee of each payment beside its amount, in minor units; absent when there is none */
            fee?: number;
            /** @description ISO 4217, in upper case */
            currency: string;
            /** @description The alias by which the payer named that wallet */
            to?: string;
            /** @description The wallet that its payments go to */
            toWalletId?: string;
            /** @description The destination of a withdrawal */
            destination?: {
                /** @description All but the last four characters hidden */
                account: string;
                /** @description The account's holder; at most 128 UTF-16 units */
                name?: string;
            };
            /** @description How often it pays. Known: week, month */
            every: string;
            /**
             * Format: date-time
             * @description The time of the first payment; the others are at the same time of the day, in UTC
             */
            firstAt: string;
            /**
             * Format: date-time
             * @description The latest time at which it pays
             */
            until?: string;
            /** @description The number of payments that were asked for */
            count?: number;
            /** @description The number of payments that it has scheduled so far */
            made: number;
            /**
             * Format: date-time
             * @description The time of the next payment that it will schedule, a week ahead
             */
            nextAt?: string;
            /** @description How it ended: it has scheduled its last payment, it was cancelled, or its wallet was closed. Known: completed, cancelled, wallet_closed */
            end?: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            endedAt?: string;
            /** @description Why it was cancelled; an operator's reason is shown to operators only */
            reason?: string;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            updatedAt: string;
            /** @description For operators */
            requestedBy?: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
            /** @description For operators */
            endedBy?: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
        };
        StandingOrderPage: {
            /** @description The page */
            items: components["schemas"]["StandingOrder"][];
            /** @description Absent on the last page; send it as `cursor` */
            nextCursor?: string;
        };
        SplitDryRun: {
            /**
             * @description Nothing has moved
             * @constant
             */
            dryRun: true;
            /** @description The sum of the legs, in minor units */
            amount: number;
            /** @description ISO 4217, in upper case */
            currency: string;
            /** @description The sum of the fees, in minor units; 0 when there is none */
            fee: number;
            /** @description What the senders of all legs give, in minor units */
            paid: number;
            /** @description The legs, in the order of the request */
            legs: {
                /** @description The paying wallet */
                fromWalletId: string;
                /** @description The receiving wallet */
                toWalletId?: string;
                /** @description The alias of the receiver, where the request names it so */
                to?: string;
                /** @description In minor units */
                amount: number;
                /** @description In minor units; its sender pays it beside the amount */
                fee: number;
            }[];
        };
        Approval: {
            /** @description The id of the approval */
            approvalId: string;
            /** @description The command that waits: the route by its name. Known: charge, refund, resolve, unfreeze, set-limits */
            command: string;
            /** @description `asked` until an operator decides or it expires. Known: asked, approved, rejected, expired */
            status: string;
            /** @description The wallets that the command is about */
            walletIds: string[];
            /** @description In minor units */
            amount?: number;
            /** @description The fee that the command takes out of its amount, in minor units; absent when there is none */
            fee?: number;
            /** @description ISO 4217, in upper case */
            currency?: string;
            /** @description The limits that the command sets, in minor units */
            limits?: {
                /** @description Limits of transfers sent, withdrawals, and holds when they are opened */
                out?: {
                    /** @description The most that one of them may move */
                    perTransaction?: number;
                    /** @description The most that they may move together in a day (UTC) */
                    perDay?: number;
                    /** @description The most that they may move together in a month (UTC) */
                    perMonth?: number;
                };
                /** @description Limits of charges, and of transfers and captures received */
                in?: {
                    /** @description The most that one of them may move */
                    perTransaction?: number;
                    /** @description The most that they may move together in a day (UTC) */
                    perDay?: number;
                    /** @description The most that they may move together in a month (UTC) */
                    perMonth?: number;
                };
                /** @description The least that money out may leave available */
                minimumBalance?: number;
                /** @description How far below zero money out may take the available money */
                creditLine?: number;
                /** @description The most that money in may bring the total to */
                maximumBalance?: number;
            };
            /** @description The version of the limits that the command replaces */
            limitsVersion?: number;
            /** @description The record that the command gets: of its transaction, where it makes one */
            transactionId: string;
            /** @description The operator who asked for the command */
            askedBy: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            askedAt: string;
            /**
             * Format: date-time
             * @description From when on it cannot be approved
             */
            expiresAt: string;
            /** @description The reason for the decision, in the words of the operator */
            reason?: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            updatedAt: string;
            /** @description The body of the request */
            body: {
                [key: string]: unknown;
            };
            /** @description The parameters in the path of the request */
            path: {
                [key: string]: string;
            };
            /** @description The operator who decided */
            endedBy?: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
        };
        ApprovalPage: {
            /** @description The page */
            items: components["schemas"]["Approval"][];
            /** @description Absent on the last page; send it as `cursor` */
            nextCursor?: string;
        };
        Batch: {
            /** @description The id of the batch */
            batchId: string;
            /** @description `completed` when each line is accepted or refused. Known: accepted, executing, completed */
            status: string;
            /** @description The number of lines */
            count: number;
            /** @description Lines that are neither accepted nor refused yet */
            waiting: number;
            /** @description Lines whose transactions were accepted; these end on their own */
            accepted: number;
            /** @description Lines that were refused; nothing of them moved */
            refused: number;
            /** @description The operator who sent it */
            requestedBy: {
                /** @description The kind of the actor. Known: owner, operator, bank, screening, service */
                kind: string;
                /** @description The `sub` of the owner's or operator's token; a fixed name of the others */
                principal: string;
                /** @description The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself */
                issuer?: string;
            };
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            updatedAt: string;
            /**
             * Format: date-time
             * @description When the last line was accepted or refused
             */
            completedAt?: string;
        };
        BatchItem: {
            /** @description The key of the line */
            key: string;
            /** @description The id of its transaction, also before there is one */
            transactionId: string;
            /** @description `waiting`, `refused`, or the status of its transaction now. Known: waiting, refused, scheduled, pending, executing, completed, failed, review, open, ended */
            status: string;
            /** @description Why it was refused, or has failed */
            failure?: {
                /** @description Distinguishes the reasons */
                code: string;
                /** @description For people */
                message: string;
            };
        };
        BatchItemPage: {
            /** @description May be fewer than asked for while there is more */
            items: components["schemas"]["BatchItem"][];
            /** @description Absent on the last page; send it as `cursor` */
            nextCursor?: string;
        };
        Webhook: {
            /** @description The id of the webhook */
            webhookId: string;
            /** @description Where its deliveries are sent */
            url: string;
            /** @description The types of events that it gets */
            eventTypes: string[];
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description The state that it is in. Known: active, disabled, deleted */
            status: string;
            /** @description Why it is disabled; `stack`: the stack does not name it any more. Known: operator, failing, stack */
            disabledBecause?: string;
            /**
             * Format: date-time
             * @description Since when it has taken nothing; absent when it takes what it gets
             */
            failingSince?: string;
            /** @description The key of its signatures: only in the answer that made it, and in repetitions within an hour */
            secret?: string;
            /**
             * Format: date-time
             * @description Until when the secret before the last rotation signs, too
             */
            previousSecretUntil?: string;
            /** @description The last replay */
            replay?: {
                /**
                 * Format: date-time
                 * @description The moment of the first event
                 */
                from: string;
                /**
                 * Format: date-time
                 * @description The moment of the last event
                 */
                to: string;
                /** @description Whether it sends only parked deliveries again */
                parkedOnly: boolean;
                /** @description The state that it is in. Known: running, completed */
                status: string;
                /** @description Deliveries that wait again */
                resent: number;
            };
            /** @description Of a ping: the id of its delivery */
            eventId?: string;
            /** @description The `sub` of the operator who made it */
            createdBy: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            updatedAt: string;
        };
        WebhookList: {
            /** @description The page */
            items: components["schemas"]["Webhook"][];
        };
        Delivery: {
            /** @description The id of the event, and the `webhook-id` of its delivery */
            eventId: string;
            /** @description The type of the event; `webhook.ping` of a ping */
            type: string;
            /**
             * Format: date-time
             * @description When the event happened
             */
            occurredAt: string;
            /** @description The state that it is in. Known: waiting, delivered, parked */
            status: string;
            /** @description Attempts since the event, or since the last replay */
            attempts: number;
            /** @description The last attempt */
            lastAttempt?: {
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC
                 */
                at: string;
                /** @description The status of the answer, or why there was none */
                outcome: string;
            };
            /**
             * Format: date-time
             * @description When it is tried again; absent unless it waits
             */
            nextAttemptAt?: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            createdAt: string;
        };
        DeliveryPage: {
            /** @description The page */
            items: components["schemas"]["Delivery"][];
            /** @description Absent on the last page; send it as `cursor` */
            nextCursor?: string;
        };
        Entry: {
            /** @description The id of the wallet */
            walletId: string;
            /** @description Counts the changes of the wallet; 0 is its opening */
            version: number;
            /**
             * Format: date-time
             * @description Time from which this version holds, never earlier than that of the one before it; ISO 8601, UTC
             */
            at: string;
            /**
             * Format: date-time
             * @description When the change was booked, as its transaction says; absent in the oldest entries, where it is `at`
             */
            bookedAt?: string;
            /** @description Empty where only the status changed */
            changes: {
                /** @description The account that the amount is booked on. Known: available, held */
                account: string;
                /** @description Signed, in minor units */
                amount: number;
            }[];
            /** @description The balance after the change */
            balanceAfter: {
                /** @description In minor units; a chargeback or a credit line may bring it below zero, and money that came back may raise it beyond 2^53-1 */
                available: number;
                /** @description In minor units; money that came back may raise it beyond 2^53-1 */
                held: number;
            };
            /** @description The status of the wallet after the change. Known: active, frozen, closed */
            statusAfter: string;
            /** @description The id of the transaction */
            transactionId?: string;
            /** @description SHA-256 over the entry and the hash of the one before it, base64url */
            hash: string;
        };
        EntryPage: {
            /** @description The page */
            items: components["schemas"]["Entry"][];
            /** @description Absent on the last page; send it as `cursor` */
            nextCursor?: string;
        };
        Statement: {
            /** @description The id of the wallet */
            walletId: string;
            /** @description ISO 4217, in upper case */
            currency: string;
            /** @description Decimals of the currency: 2 means that 100 minor units are one of it */
            decimals: number;
            /**
             * Format: date-time
             * @description The beginning of the period, inclusive
             */
            from: string;
            /**
             * Format: date-time
             * @description Its end, exclusive
             */
            to: string;
            /** @description `false` within a minute of `to`, while a command that began before it may still be booked */
            final: boolean;
            /** @description Before the first line of this answer */
            opening: {
                /** @description In minor units; a chargeback or a credit line may bring it below zero, and money that came back may raise it beyond 2^53-1 */
                available: number;
                /** @description In minor units; money that came back may raise it beyond 2^53-1 */
                held: number;
                /** @description `available` + `held`, in minor units; below zero where `available` is */
                total: number;
                /** @description The entry that left it; absent before the wallet was opened */
                version?: number;
                /** @description The hash of that entry */
                hash?: string;
            };
            /** @description The movements of the total, oldest first */
            lines: {
                /** @description The entry of the ledger; transactions that were booked together share it */
                version: number;
                /**
                 * Format: date-time
                 * @description Time from which the entry holds; ISO 8601, UTC
                 */
                at: string;
                /** @description The id of the transaction */
                transactionId?: string;
                /** @description The code that finds the receipt */
                receiptCode?: string;
                /** @description The type of the transaction; `correction` where no transaction explains the change, as after a recovery. Known: charge, withdrawal, transfer, return, hold, capture, refund, collection, correction */
                type: string;
                /** @description What the total gained, in minor units: below zero for money out. A fee is in it */
                amount: number;
                /** @description What of `amount` the wallet paid as a fee; below zero where it came back */
                fee?: number;
                /**
                 * @description It gives back what the same transaction took before
                 * @constant
                 */
                reversal?: true;
                /** @description The other side, as the caller may see it; absent where that is the world outside */
                counterparty?: {
                    /** @description The id of the wallet */
                    walletId?: string;
                    /** @description In place of a wallet that was paid by its alias */
                    alias?: string;
                    /** @description All but the last four characters hidden */
                    account?: string;
                    /** @description The holder of the account */
                    name?: string;
                };
                /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
                externalReference?: string;
                /** @description For people; at most 256 UTF-16 units */
                description?: string;
                /** @description The total after the line, in minor units */
                balance: number;
            }[];
            /** @description After the last line of this answer */
            closing: {
                /** @description In minor units; a chargeback or a credit line may bring it below zero, and money that came back may raise it beyond 2^53-1 */
                available: number;
                /** @description In minor units; money that came back may raise it beyond 2^53-1 */
                held: number;
                /** @description `available` + `held`, in minor units; below zero where `available` is */
                total: number;
                /** @description The entry that left it; absent before the wallet was opened */
                version?: number;
                /** @description The hash of that entry */
                hash?: string;
            };
            /** @description Of the lines of this answer, in minor units: opening + in - out = closing */
            sums: {
                /** @description The number of lines */
                lines: number;
                /** @description The sum of the amounts above zero */
                in: number;
                /** @description The sum of those below zero, without the sign */
                out: number;
                /** @description The sum of the fees */
                fees: number;
            };
            /** @description Absent on the last page; send it as `cursor` */
            nextCursor?: string;
        };
        StatementFile: {
            /** @description The id of the statement */
            statementId: string;
            /** @description The id of the wallet */
            walletId: string;
            /** @description The format of the file. Known: json, csv, camt.053 */
            format: string;
            /**
             * Format: date-time
             * @description The beginning of the period, inclusive
             */
            from: string;
            /**
             * Format: date-time
             * @description Its end, exclusive
             */
            to: string;
            /** @description `false` within a minute of `to`, while a command that began before it may still be booked */
            final: boolean;
            /** @description `pending`: a worker makes the file; ask again. `failed`: repeat the request, and it is tried anew. Known: pending, ready, failed */
            status: string;
            /** @description Before the period */
            opening: {
                /** @description In minor units; a chargeback or a credit line may bring it below zero, and money that came back may raise it beyond 2^53-1 */
                available: number;
                /** @description In minor units; money that came back may raise it beyond 2^53-1 */
                held: number;
                /** @description `available` + `held`, in minor units; below zero where `available` is */
                total: number;
                /** @description The entry that left it; absent before the wallet was opened */
                version?: number;
                /** @description The hash of that entry */
                hash?: string;
            };
            /** @description After the last line of the file */
            closing: {
                /** @description In minor units; a chargeback or a credit line may bring it below zero, and money that came back may raise it beyond 2^53-1 */
                available: number;
                /** @description In minor units; money that came back may raise it beyond 2^53-1 */
                held: number;
                /** @description `available` + `held`, in minor units; below zero where `available` is */
                total: number;
                /** @description The entry that left it; absent before the wallet was opened */
                version?: number;
                /** @description The hash of that entry */
                hash?: string;
            };
            /** @description Of the lines of the file, in minor units; where it is ready */
            sums?: {
                /** @description The number of lines */
                lines: number;
                /** @description The sum of the amounts above zero */
                in: number;
                /** @description The sum of those below zero, without the sign */
                out: number;
                /** @description The sum of the fees */
                fees: number;
            };
            /** @description Where the file is ready */
            file?: {
                /** @description The size of the file */
                bytes: number;
                /** @description A link to the file, for a GET without a token. Whoever has it can read the file */
                url: string;
                /**
                 * Format: date-time
                 * @description Until when the link works; ask again for another one
                 */
                expiresAt: string;
            };
            /** @description Where it has failed */
            failure?: {
                /** @description One of: ledger_behind, not_made */
                code: string;
                /** @description For people */
                message: string;
            };
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description From when on there is no such statement, and no file
             */
            expiresAt: string;
        };
        Totals: {
            /** @description The owner: the `sub` of its tokens */
            ownerId: string;
            /** @description In UTC, as 2026-03 */
            month: string;
            /**
             * Format: date-time
             * @description The beginning of the month, inclusive
             */
            from: string;
            /**
             * Format: date-time
             * @description Its end, exclusive; of a month that is not over the time of the request for its first page
             */
            to: string;
            /** @description `false` within a minute of `to`, while a command that began before it may still be booked */
            final: boolean;
            /** @description Sorted by currency and type; of this part of the month, where there are several */
            items: {
                /** @description ISO 4217, in upper case */
                currency: string;
                /** @description The type of the transaction; `correction` where no transaction explains the change, as after a recovery. Known: charge, withdrawal, transfer, return, hold, capture, refund, collection, correction */
                type: string;
                /** @description The number of lines of the statements */
                count: number;
                /** @description The sum of the amounts above zero */
                in: number;
                /** @description The sum of those below zero, without the sign */
                out: number;
                /** @description The sum of the fees */
                fees: number;
            }[];
            /** @description There are more parts: send it as `cursor`, and add up what they have */
            nextCursor?: string;
        };
        NotificationPreferences: {
            /** @description The owner: the `sub` of its tokens */
            ownerId: string;
            /** @description The ways to notify the owner, each on or off; all are off until the owner turns one on */
            channels: {
                /** @description By e-mail */
                email: boolean;
                /** @description By text message */
                sms: boolean;
                /** @description By a message to a device */
                push: boolean;
            };
            /** @description Types of events for which the owner gets no notification */
            mutedEvents: string[];
        };
        Pass: {
            /** @description The id of the pass */
            passId: string;
            /** @description The state that it is in. Known: running, sound, discrepancies */
            status: string;
            /** @description The stage of the pass. Known: books, bank, sums, done */
            stage: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            startedAt: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC
             */
            finishedAt?: string;
            /**
             * Format: date-time
             * @description The moment as of which sums are compared
             */
            asOf?: string;
            /** @description Whether the bank's statement is compared */
            withBank: boolean;
            /** @description Invocations that the pass has taken */
            runs: number;
            /** @description Items that the check has covered */
            counts: {
                /** @description Wallets, or the sum of their money */
                wallets: number;
                /** @description Transactions */
                transactions: number;
                /** @description Lines of the wallets' ledgers */
                entries: number;
                /** @description Lines of the bank's statement */
                payments: number;
            };
            /** @description Completed withdrawals that went to another bank: they are compared with nothing */
            otherBanks: {
                /** @description The bank's id, or host and path of its URL */
                bankId: string;
                /** @description The number of them */
                withdrawals: number;
            }[];
            /** @description Items of the table that the pass has read */
            scanned: number;
            /** @description Approximate items of the table when the pass began */
            items?: number;
            /** @description Read units of DynamoDB that it has cost */
            readUnits: number;
            /** @description The same in dollars, at the list price of us-east-1 */
            dollars: number;
            /** @description Read units of the whole pass, at the rate so far */
            expectedReadUnits?: number;
            /** @description The same in dollars */
            expectedDollars?: number;
            /** @description In minor units, as texts, because they may be larger than the numbers that JSON readers agree on */
            sums: {
                /** @description ISO 4217, in upper case */
                currency: string;
                /** @description Wallets, or the sum of their money */
                wallets: string;
                /** @description Money that left for the world outside; negative when more came in */
                external: string;
                /** @description Money between two wallets */
                transit: string;
                /** @description What was paid as fees; absent when there was none */
                fees?: string;
                /** @description Minus what of it went to revenue wallets; absent when nothing was paid */
                collected?: string;
                /** @description Minus what wallets brought along from another system; absent without an import */
                opening?: string;
                /** @description The sum of these accounts, zero in sound books */
                sum: string;
            }[];
            /** @description Wallets that will be checked again */
            suspects: string[];
            /** @description The number of discrepancies */
            found: number;
            /** @description The first hundred of them */
            discrepancies: {
                /** @description What is wrong. Known: balance_differs, entry_missing, chain_broken, postings_differ, held_differs, hold_differs, refund_differs, reference_differs, alias_differs, fees_differ, transaction_invalid, unreadable, currency_unbalanced, total_differs, payment_missing, payment_differs, statement_missing */
                kind: string;
                /** @description The wallet, transaction, account or currency with the discrepancy */
                subject: string;
                /** @description A sentence that describes the discrepancy; amounts in minor units */
                detail: string;
            }[];
        };
        Integrity: {
            /** @description The check of closed hours */
            hours: {
                /** @description The hour (UTC) that is checked now, or when it is closed: all before it are checked */
                next: string;
                /** @description The same for its payments: all before it are compared with the statement */
                nextOfBank: string;
                /** @description Time since the end of the oldest unchecked hour; 0 when there is none */
                uncheckedSeconds: number;
                /** @description Wallets that will be checked again */
                suspects: string[];
                /** @description The last hour that was checked */
                last: {
                    /** @description Its beginning, in UTC */
                    hour: string;
                    /**
                     * Format: date-time
                     * @description When it was
                     */
                    checkedAt: string;
                    /** @description What was compared */
                    counts: {
                        /** @description Wallets that changed */
                        wallets: number;
                        /** @description Entries of these changes */
                        entries: number;
                        /** @description Bookings of transactions */
                        bookings: number;
                    };
                    /** @description Read units of DynamoDB that it has cost */
                    readUnits: number;
                } | null;
            } | null;
            /** @description Reported discrepancies that are not removed, up to five hundred */
            discrepancies: {
                /** @description What is wrong. Known: balance_differs, entry_missing, chain_broken, postings_differ, held_differs, hold_differs, refund_differs, reference_differs, alias_differs, fees_differ, transaction_invalid, unreadable, currency_unbalanced, total_differs, payment_missing, payment_differs, statement_missing */
                kind: string;
                /** @description The wallet, transaction, account or currency with the discrepancy */
                subject: string;
                /** @description A sentence that describes the discrepancy; amounts in minor units */
                detail: string;
                /** @description The hour whose sums are wrong; absent: it is about its subject */
                hour?: string;
                /**
                 * Format: date-time
                 * @description When it was found first
                 */
                since: string;
                /**
                 * Format: date-time
                 * @description When it was found last; it is removed when a whole pass has not found it again
                 */
                seenAt: string;
                /** @description The bank whose payments were compared */
                bankId?: string;
                /** @description Who has acknowledged it, and why; the alarm does not count it */
                acknowledged?: {
                    /** @description The kind of the actor */
                    by: string;
                    /** @description How the operator knows; at most 512 UTF-16 units */
                    evidence: string;
                    /**
                     * Format: date-time
                     * @description ISO 8601, UTC
                     */
                    at: string;
                };
            }[];
            /** @description The last complete pass */
            last: components["schemas"]["Pass"] | null;
            /** @description The current pass; it stays here, with its end, until the next one */
            running: components["schemas"]["Pass"] | null;
        };
        Health: {
            /**
             * @description The state that it is in
             * @constant
             */
            status: "ok";
            /** @description This and the following members: with a token that has the scope wallet:support */
            queues?: {
                /** @description The queue of withdrawals */
                withdrawals: {
                    /** @description Messages that wait */
                    depth: number;
                    /** @description Messages that were received too often without success */
                    deadLetters: number;
                };
                /** @description The queue of transfers */
                transfers: {
                    /** @description Messages that wait */
                    depth: number;
                    /** @description Messages that were received too often without success */
                    deadLetters: number;
                };
            };
            /** @description Delay of the work that has been due the longest */
            oldestDueAgeSeconds?: number;
            /** @description The withdrawals that wait for an operator, the oldest first, up to 100 */
            inReview?: {
                /** @description The id of the transaction */
                transactionId: string;
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC
                 */
                since: string;
            }[];
            /** @description The connection to the bank */
            bank?: {
                /** @description The state in the last report of a worker; unknown ten minutes after a report that it is not closed. Known: closed, open, half-open, unknown */
                breaker: string;
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC
                 */
                since?: string;
            };
        };
        Unavailable: {
            /**
             * @description The state that it is in
             * @constant
             */
            status: "unavailable";
        };
        Notified: {
            /** @description The id of the transaction */
            reference: string;
        };
        Description: {
            /** @description The version of OpenAPI that it is written in */
            openapi: string;
        } & {
            [key: string]: unknown;
        };
        Problem: {
            /**
             * @description Always `about:blank`: the code says more
             * @constant
             */
            type: "about:blank";
            /** @description The title of the code, the same for every case */
            title: string;
            /** @description The status of the answer */
            status: number;
            /** @description Distinguishes refusals. Known: invalid_request, idempotency_key_required, unauthorized, forbidden, operator_limit_exceeded, not_found, wallet_not_found, transaction_not_found, approval_not_found, batch_not_found, standing_order_not_found, webhook_not_found, statement_not_found, wallet_frozen, wallet_closed, wallet_not_empty, limits_changed, payload_too_large, query_too_broad, unsupported_media_type, insufficient_funds, currency_mismatch, same_wallet, balance_limit_exceeded, limit_exceeded, receiver_unavailable, fee_exceeds_amount, idempotency_key_reused, rate_limited, statement_too_long, alias_unavailable, too_many_aliases, reference_taken, not_in_review, not_cancellable, not_a_hold, hold_ended, hold_expired, exceeds_hold, not_refundable, exceeds_refundable, too_many_refunds, too_many_scheduled, too_many_standing_orders, approval_ended, approval_expired, standing_order_ended, webhook_limit_reached, webhook_disabled, webhook_replay_running, ledger_behind, another_bank, token_not_checked, overloaded, busy, internal_error */
            code: string;
            /** @description About this case, for people */
            detail?: string;
            /** @description For `invalid_request`: the field, parameter or header, and its defect */
            errors?: {
                /** @description The field, parameter or header; empty for the whole body */
                path: string;
                /** @description For people */
                message: string;
            }[];
            /** @description Of a split: the index of the leg that is refused, or that first names the wallet which refuses. Absent for an end user who pays several wallets, of which one is `receiver_unavailable` */
            leg?: number;
            /** @description For `reference_taken`: the transaction that has the reference, where the caller may see it */
            transactionId?: string;
            /** @description For `limit_exceeded`: the limit of the wallet. Known: out.perTransaction, out.perDay, out.perMonth, in.perTransaction, in.perDay, in.perMonth, minimumBalance, creditLine, maximumBalance */
            limit?: string;
            /** @description For `limit_exceeded`: the most that this limit allows now, in minor units */
            left?: number;
            /**
             * Format: date-time
             * @description For `limit_exceeded`: when it allows more; absent when time alone does not
             */
            resetsAt?: string;
            /** @description The gateway's id of the request, also in its logs: quote it when you ask for help */
            requestId: string;
        };
        CreateWalletRequest: {
            /** @description ISO 4217, in upper case */
            currency: string;
            /** @description The owner: the `sub` of its tokens */
            ownerId?: string;
            /** @description What the wallet is called; at most 128 UTF-16 units */
            name?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
        };
        ChangeWalletRequest: {
            /** @description What the wallet is called; at most 128 UTF-16 units, and null removes it */
            name?: string | null;
            /** @description A name by which its owner is paid in its currency; null removes it. It stays its owner's for ever, and an owner can take 3 */
            alias?: string | null;
            /** @description Texts by their names. null in place of the object removes all, and null in place of a text removes this one. The others stay */
            metadata?: {
                [key: string]: string | null;
            } | null;
        };
        ChargeRequest: {
            /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
            amount: number;
            /** @description ISO 4217, in upper case */
            currency?: string;
            /**
             * @description `true`: the answer is the fee, no money moves, and the key stays unused
             * @constant
             */
            dryRun?: true;
            /**
             * @description `true`: no other command with `uniqueReference` may have this externalReference, among those of the owner, or of all operators. It stays taken for ever
             * @constant
             */
            uniqueReference?: true;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
        };
        WithdrawRequest: {
            /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
            amount: number;
            /** @description ISO 4217, in upper case */
            currency?: string;
            /** @description The destination of a withdrawal */
            destination: {
                /** @description The account at the bank that is paid */
                account: string;
                /** @description The account's holder; at most 128 UTF-16 units */
                name?: string;
            };
            /**
             * Format: date-time
             * @description When the payment is executed: a minute to 366 days ahead, with an offset. Absent: at once
             */
            executeAt?: string;
            /**
             * @description `true`: the answer is the fee, no money moves, and the key stays unused
             * @constant
             */
            dryRun?: true;
            /**
             * @description `true`: no other command with `uniqueReference` may have this externalReference, among those of the owner, or of all operators. It stays taken for ever
             * @constant
             */
            uniqueReference?: true;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
        };
        TransferRequest: {
            /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
            amount: number;
            /** @description The receiving wallet */
            toWalletId?: string;
            /** @description The alias of the receiver, such as `@alice`; this or toWalletId */
            to?: string;
            /** @description ISO 4217, in upper case */
            currency?: string;
            /**
             * @description `true`: the answer is the fee, no money moves, and the key stays unused
             * @constant
             */
            dryRun?: true;
            /**
             * Format: date-time
             * @description When the payment is executed: a minute to 366 days ahead, with an offset. Absent: at once
             */
            executeAt?: string;
            /**
             * @description `true`: no other command with `uniqueReference` may have this externalReference, among those of the owner, or of all operators. It stays taken for ever
             * @constant
             */
            uniqueReference?: true;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
        };
        CreateStatementFileRequest: {
            /**
             * Format: date-time
             * @description The beginning of the period, inclusive; with an offset
             */
            from: string;
            /**
             * Format: date-time
             * @description Its end, exclusive, and not in the future; without it the time of the request
             */
            to?: string;
            /**
             * @description The format of the file
             * @enum {string}
             */
            format: "json" | "csv" | "camt.053";
        };
        FreezeRequest: {
            /** @description Why it is frozen; operators see it */
            reason?: string;
        };
        UnfreezeRequest: {
            /** @description Why it is unfrozen; operators see it */
            reason?: string;
        };
        CloseRequest: {
            /** @description Why it is closed; operators see it */
            reason?: string;
        };
        SetLimitsRequest: {
            /** @description Why they are set; the event of the change has it */
            reason: string;
            /** @description In minor units; they replace all that the wallet has. Empty: none */
            limits?: {
                /** @description Limits of transfers sent, withdrawals, and holds when they are opened */
                out?: {
                    /** @description The most that one of them may move */
                    perTransaction?: number;
                    /** @description The most that they may move together in a day (UTC) */
                    perDay?: number;
                    /** @description The most that they may move together in a month (UTC) */
                    perMonth?: number;
                };
                /** @description Limits of charges, and of transfers and captures received */
                in?: {
                    /** @description The most that one of them may move */
                    perTransaction?: number;
                    /** @description The most that they may move together in a day (UTC) */
                    perDay?: number;
                    /** @description The most that they may move together in a month (UTC) */
                    perMonth?: number;
                };
                /** @description The least that money out may leave available */
                minimumBalance?: number;
                /** @description How far below zero money out may take the available money; not together with minimumBalance */
                creditLine?: number;
                /** @description The most that money in may bring the total to */
                maximumBalance?: number;
            };
            /** @description A tier of this service, in place of limits: the wallet gets a copy of its limits */
            tier?: string;
            /** @description The version of the limits that are replaced, 0 for a wallet that never had any. With another version the request is refused */
            version?: number;
        };
        ResolveRequest: {
            /**
             * @description How it ended
             * @enum {string}
             */
            outcome: "completed" | "failed";
            /** @description How the operator knows; at most 512 UTF-16 units */
            evidence: string;
        };
        CancelRequest: {
            /** @description Why it is cancelled; stays on the transaction */
            reason?: string;
        };
        OpenHoldRequest: {
            /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
            amount: number;
            /**
             * Format: date-time
             * @description From when on nothing can be captured: a minute to 31 days ahead, with an offset
             */
            expiresAt: string;
            /** @description The wallet that captures pay; without it only operators capture, for the world outside */
            toWalletId?: string;
            /** @description The alias of the receiver; this or toWalletId */
            to?: string;
            /** @description ISO 4217, in upper case */
            currency?: string;
            /**
             * @description `true`: no other command with `uniqueReference` may have this externalReference, among those of the owner, or of all operators. It stays taken for ever
             * @constant
             */
            uniqueReference?: true;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
        };
        CaptureRequest: {
            /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
            amount?: number;
            /** @description Whether the hold ends, and the payer gets back what is left after this capture */
            final?: boolean;
            /**
             * @description `true`: the answer is the fee, no money moves, and the key stays unused
             * @constant
             */
            dryRun?: true;
            /**
             * @description `true`: no other command with `uniqueReference` may have this externalReference, among those of the owner, or of all operators. It stays taken for ever
             * @constant
             */
            uniqueReference?: true;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
        };
        ReleaseRequest: {
            /** @description Why it is released; stays on the hold */
            reason?: string;
        };
        RefundRequest: {
            /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
            amount?: number;
            /** @description Why it is refunded; both parties see it */
            reason: string;
            /**
             * @description For operators and charges: the world outside has taken the money already, so it is booked whatever the balance
             * @constant
             */
            chargeback?: true;
            /**
             * @description `true`: no other command with `uniqueReference` may have this externalReference, among those of the owner, or of all operators. It stays taken for ever
             * @constant
             */
            uniqueReference?: true;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
        };
        SplitRequest: {
            /** @description The transfers: at most 50, between at most 40 wallets of one currency */
            legs: {
                /** @description The paying wallet; of an owner, one of its own */
                fromWalletId: string;
                /** @description The receiving wallet */
                toWalletId?: string;
                /** @description The alias of the receiver; this or toWalletId */
                to?: string;
                /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
                amount: number;
                /**
                 * @description `true`: no other command with `uniqueReference` may have this externalReference, among those of the owner, or of all operators. It stays taken for ever
                 * @constant
                 */
                uniqueReference?: true;
                /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
                externalReference?: string;
                /** @description For people; at most 256 UTF-16 units */
                description?: string;
                /** @description Texts of the caller, by names of the caller */
                metadata?: {
                    [key: string]: string;
                };
            }[];
            /** @description ISO 4217, in upper case */
            currency?: string;
            /**
             * @description `true`: the answer is the fee, no money moves, and the key stays unused
             * @constant
             */
            dryRun?: true;
        };
        OpenStandingOrderRequest: {
            /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
            amount: number;
            /** @description The wallet that is paid; this or destination */
            toWalletId?: string;
            /** @description The alias of the receiver; this, toWalletId or destination */
            to?: string;
            /** @description The account that is paid through the bank; this or toWalletId */
            destination?: {
                /** @description The account at the bank that is paid */
                account: string;
                /** @description The account's holder; at most 128 UTF-16 units */
                name?: string;
            };
            /**
             * @description How often it pays
             * @enum {string}
             */
            every: "week" | "month";
            /**
             * Format: date-time
             * @description The time of the first payment: an hour to 366 days ahead, with an offset. The others are at the same time of the day in UTC; a month that lacks the day pays on its last one
             */
            firstAt: string;
            /**
             * Format: date-time
             * @description The latest time at which it pays; not together with count
             */
            until?: string;
            /** @description The number of payments, 1 to 1000; without it and until, it pays until it is cancelled */
            count?: number;
            /** @description ISO 4217, in upper case */
            currency?: string;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
        };
        CancelStandingOrderRequest: {
            /** @description Why it is cancelled; stays on the order and on its cancelled payments */
            reason?: string;
        };
        ApproveRequest: {
            /** @description Why it is approved; stays on the approval */
            reason?: string;
        };
        RejectRequest: {
            /** @description Why it is rejected; stays on the approval */
            reason: string;
        };
        CreateBatchRequest: ({
            /** @description Your name for the line; no other line of the file has it */
            key: string;
            /** @description The wallet that pays */
            walletId: string;
            /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
            amount: number;
            /**
             * @description `true`: no other command with `uniqueReference` may have this externalReference, among those of the owner, or of all operators. It stays taken for ever
             * @constant
             */
            uniqueReference?: true;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
            /**
             * @description The kind of payment
             * @constant
             */
            type: "transfer";
            /** @description The wallet that receives */
            toWalletId?: string;
            /** @description The alias of the wallet that receives; this or toWalletId */
            to?: string;
        } | {
            /** @description Your name for the line; no other line of the file has it */
            key: string;
            /** @description The wallet that pays */
            walletId: string;
            /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
            amount: number;
            /**
             * @description `true`: no other command with `uniqueReference` may have this externalReference, among those of the owner, or of all operators. It stays taken for ever
             * @constant
             */
            uniqueReference?: true;
            /** @description An id of the caller, such as an invoice number; at most 128 UTF-16 units */
            externalReference?: string;
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
            /** @description Texts of the caller, by names of the caller */
            metadata?: {
                [key: string]: string;
            };
            /**
             * @description The kind of payment
             * @constant
             */
            type: "withdrawal";
            /** @description The destination of a withdrawal */
            destination: {
                /** @description The account at the bank that is paid */
                account: string;
                /** @description The account's holder; at most 128 UTF-16 units */
                name?: string;
            };
        })[];
        PutNotificationPreferencesRequest: {
            /** @description The owner: the `sub` of its tokens */
            ownerId?: string;
            /** @description The ways to notify the owner, each on or off; all are off until the owner turns one on */
            channels: {
                /** @description By e-mail */
                email: boolean;
                /** @description By text message */
                sms: boolean;
                /** @description By a message to a device */
                push: boolean;
            };
            /** @description Types of events for which the owner gets no notification */
            mutedEvents?: ("wallet.funded" | "wallet.frozen" | "wallet.unfrozen" | "wallet.limits_changed" | "withdrawal.completed" | "withdrawal.failed" | "withdrawal.returned" | "transfer.completed" | "hold.opened" | "hold.captured" | "hold.ended" | "refund.completed" | "activity.suspicious")[];
        };
        CreateWebhookRequest: {
            /** @description An https URL on port 443, at a public address; no redirect is followed */
            url: string;
            /** @description The types of events that it gets */
            eventTypes: ("wallet.created" | "wallet.funded" | "wallet.frozen" | "wallet.unfrozen" | "wallet.closed" | "wallet.limits_changed" | "wallet.changed" | "withdrawal.scheduled" | "withdrawal.accepted" | "withdrawal.executing" | "withdrawal.completed" | "withdrawal.failed" | "withdrawal.review" | "withdrawal.returned" | "transfer.scheduled" | "transfer.accepted" | "transfer.completed" | "transfer.failed" | "hold.opened" | "hold.captured" | "hold.ended" | "refund.completed" | "fees.collected" | "standing_order.opened" | "standing_order.ended" | "approval.asked" | "approval.approved" | "approval.rejected" | "activity.suspicious" | "ledger.discrepancy" | "bank_file.reconciled" | "webhook.disabled")[];
            /** @description For people; at most 256 UTF-16 units */
            description?: string;
        };
        PutWebhookRequest: {
            /**
             * @description `deleted` cannot be taken back. `active` sends the events that were stored meanwhile
             * @enum {string}
             */
            status: "active" | "disabled" | "deleted";
            /** @description The types of events that it gets */
            eventTypes?: ("wallet.created" | "wallet.funded" | "wallet.frozen" | "wallet.unfrozen" | "wallet.closed" | "wallet.limits_changed" | "wallet.changed" | "withdrawal.scheduled" | "withdrawal.accepted" | "withdrawal.executing" | "withdrawal.completed" | "withdrawal.failed" | "withdrawal.review" | "withdrawal.returned" | "transfer.scheduled" | "transfer.accepted" | "transfer.completed" | "transfer.failed" | "hold.opened" | "hold.captured" | "hold.ended" | "refund.completed" | "fees.collected" | "standing_order.opened" | "standing_order.ended" | "approval.asked" | "approval.approved" | "approval.rejected" | "activity.suspicious" | "ledger.discrepancy" | "bank_file.reconciled" | "webhook.disabled")[];
        };
        RotateWebhookSecretRequest: Record<string, never>;
        PingWebhookRequest: Record<string, never>;
        ReplayWebhookRequest: {
            /**
             * Format: date-time
             * @description The moment of the first event that is sent again, at most thirty days ago
             */
            from: string;
            /**
             * @description Whether only parked deliveries are sent again
             * @default false
             */
            parkedOnly: boolean;
        };
        BankNotificationsRequest: {
            /** @description The id of the transaction that the payment was submitted for */
            reference: string;
            /**
             * @description The outcome of the payment
             * @enum {string}
             */
            status: "paid" | "rejected" | "returned";
            /** @description In minor units; written in digits only: neither 1.0 nor 1e2 */
            amount: number;
            /** @description ISO 4217, in upper case */
            currency: string;
            /** @description The bank's own code of its reason */
            code?: string;
            /** @description The bank's own words */
            message?: string;
        };
    };
    responses: never;
    parameters: {
        /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
        "Idempotency-Key": string;
        /** @description Entity tags that the client has; the answer is 304 when the current one is among them */
        "If-None-Match": string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listWallets: {
        parameters: {
            query?: {
                /** @description Items on a page */
                limit?: number;
                /** @description The `nextCursor` of the page before, with the same other parameters */
                cursor?: string;
                /** @description For operators: the owner, if it is not the caller */
                ownerId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of wallets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WalletPage"];
                };
            };
        };
    };
    createWallet: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateWalletRequest"];
            };
        };
        responses: {
            /** @description The new wallet */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wallet"];
                };
            };
        };
    };
    getWallet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The wallet */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wallet"];
                };
            };
        };
    };
    changeWallet: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeWalletRequest"];
            };
        };
        responses: {
            /** @description The wallet */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wallet"];
                };
            };
        };
    };
    getBalance: {
        parameters: {
            query?: {
                /** @description `true` shows every command that was answered before */
                consistent?: "true" | "false";
                /** @description The moment of the balance; bookings at that moment are included. Not in the future, and not together with consistent */
                at?: string;
            };
            header?: {
                /** @description Entity tags that the client has; the answer is 304 when the current one is among them */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The balance */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Balance"];
                };
            };
            /** @description It has not changed since the version in If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    charge: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChargeRequest"];
            };
        };
        responses: {
            /** @description With `dryRun`: what the command would cost */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DryRun"];
                };
            };
            /** @description Booked: `completed` */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
            /** @description Nothing has moved: a second operator must approve it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
        };
    };
    withdraw: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
                /** @description `wait=N`: wait up to N seconds, at most 20, for the end of the transaction */
                Prefer?: string;
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WithdrawRequest"];
            };
        };
        responses: {
            /** @description The end came while the client preferred to wait. With `dryRun`: what the command would cost */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"] | components["schemas"]["DryRun"];
                };
            };
            /** @description The money is held, and the bank will be asked */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
        };
    };
    transfer: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
                /** @description `respond-async`: queue the transfer; `wait=N`: wait up to N seconds, at most 20, for the end of the transaction */
                Prefer?: string;
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TransferRequest"];
            };
        };
        responses: {
            /** @description Queued, and the end came while the client preferred to wait. With `dryRun`: what the command would cost */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"] | components["schemas"]["DryRun"];
                };
            };
            /** @description Booked: `completed` */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
            /** @description Queued: the sender is debited. The receiver is credited, or the transfer fails and the sender has it back */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
        };
    };
    listTransactions: {
        parameters: {
            query?: {
                /** @description Items on a page */
                limit?: number;
                /** @description The `nextCursor` of the page before, with the same other parameters */
                cursor?: string;
                /** @description Only transactions of this kind */
                type?: "charge" | "withdrawal" | "transfer" | "return" | "hold" | "capture" | "refund" | "collection";
                /** @description Only transactions in this state */
                status?: "scheduled" | "pending" | "executing" | "completed" | "failed" | "review" | "open" | "ended";
                /** @description Only transactions created at this moment or later */
                from?: string;
                /** @description Only transactions created before this moment */
                to?: string;
            };
            header?: never;
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of transactions by `createdAt`. A queued transfer comes to its receiver later, among earlier ones */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionPage"];
                };
            };
        };
    };
    findTransactions: {
        parameters: {
            query?: {
                /** @description Items on a page */
                limit?: number;
                /** @description The `nextCursor` of the page before, with the same other parameters */
                cursor?: string;
                /** @description Only transactions of this kind */
                type?: "charge" | "withdrawal" | "transfer" | "return" | "hold" | "capture" | "refund" | "collection";
                /** @description Only transactions in this state */
                status?: "scheduled" | "pending" | "executing" | "completed" | "failed" | "review" | "open" | "ended";
                /** @description Only transactions created at this moment or later */
                from?: string;
                /** @description Only transactions created before this moment */
                to?: string;
                /** @description Only transactions with exactly this reference. An owner finds those that show it the reference */
                externalReference?: string;
                /** @description For operators: only transactions of the wallets of this owner, at most 20 wallets */
                ownerId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of transactions, the newest first; of open work without another filter the latest due first. A command shows some milliseconds after its answer */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionPage"];
                };
            };
        };
    };
    getTransaction: {
        parameters: {
            query?: never;
            header?: {
                /** @description Entity tags that the client has; the answer is 304 when the current one is among them */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            path: {
                /** @description The id of the transaction */
                transactionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The transaction */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
            /** @description It has not changed since the version in If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getReceipt: {
        parameters: {
            query?: never;
            header?: {
                /** @description Entity tags that the client has; the answer is 304 when the current one is among them */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            path: {
                /** @description The code of the receipt */
                receiptCode: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The transaction */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
            /** @description It has not changed since the version in If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    listEntries: {
        parameters: {
            query?: {
                /** @description Items on a page */
                limit?: number;
                /** @description The `nextCursor` of the page before, with the same other parameters */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of entries */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntryPage"];
                };
            };
        };
    };
    getStatement: {
        parameters: {
            query?: {
                /** @description The beginning of the period, inclusive; with an offset */
                from?: string;
                /** @description Its end, exclusive, and not in the future; without it the time of the request */
                to?: string;
                /** @description The format, whatever `Accept` says */
                format?: "json" | "csv" | "camt.053";
                /** @description Changes of the wallet on a page of JSON, up to 1000; without it the whole period is one answer */
                limit?: number;
                /** @description The `nextCursor` of the page before, with the same other parameters */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The statement */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Statement"];
                    "text/csv": string;
                    "application/xml": string;
                };
            };
        };
    };
    createStatementFile: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateStatementFileRequest"];
            };
        };
        responses: {
            /** @description Stored: a worker makes the file */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatementFile"];
                };
            };
        };
    };
    getStatementFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the statement */
                statementId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The statement, and a link to its file where that is ready */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatementFile"];
                };
            };
        };
    };
    getTotals: {
        parameters: {
            query?: {
                /** @description The month in UTC, as `2026-03`; it must have begun */
                month?: string;
                /** @description For operators: the owner, if it is not the caller */
                ownerId?: string;
                /** @description The `nextCursor` of the page before, with the same other parameters */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The totals, or a part of them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Totals"];
                };
            };
        };
    };
    freeze: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["FreezeRequest"];
            };
        };
        responses: {
            /** @description The wallet */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wallet"];
                };
            };
        };
    };
    unfreeze: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["UnfreezeRequest"];
            };
        };
        responses: {
            /** @description The wallet */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wallet"];
                };
            };
            /** @description Nothing has moved: a second operator must approve it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
        };
    };
    close: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CloseRequest"];
            };
        };
        responses: {
            /** @description The wallet */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wallet"];
                };
            };
        };
    };
    setLimits: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetLimitsRequest"];
            };
        };
        responses: {
            /** @description The limits that the wallet has now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WalletLimits"];
                };
            };
            /** @description Nothing has moved: a second operator must approve it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
        };
    };
    resolve: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the transaction */
                transactionId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResolveRequest"];
            };
        };
        responses: {
            /** @description The transaction at its end */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
            /** @description Nothing has moved: a second operator must approve it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
        };
    };
    cancel: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the transaction */
                transactionId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CancelRequest"];
            };
        };
        responses: {
            /** @description The transaction, `failed` with the code `cancelled` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
        };
    };
    openHold: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenHoldRequest"];
            };
        };
        responses: {
            /** @description The hold, `open`: its money is held */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
        };
    };
    capture: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the hold */
                transactionId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CaptureRequest"];
            };
        };
        responses: {
            /** @description With `dryRun`: what the command would cost */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DryRun"];
                };
            };
            /** @description The capture, `completed`; it may have ended the hold */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
        };
    };
    release: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the hold */
                transactionId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ReleaseRequest"];
            };
        };
        responses: {
            /** @description The hold, `ended` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
        };
    };
    refund: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the transaction */
                transactionId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefundRequest"];
            };
        };
        responses: {
            /** @description The refund, `completed` */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
            /** @description Nothing has moved: a second operator must approve it */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
        };
    };
    split: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SplitRequest"];
            };
        };
        responses: {
            /** @description With `dryRun`: what the command would cost */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SplitDryRun"];
                };
            };
            /** @description Booked, all legs: each is `completed` */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Split"];
                };
            };
        };
    };
    listStandingOrders: {
        parameters: {
            query?: {
                /** @description Items on a page */
                limit?: number;
                /** @description The `nextCursor` of the page before, with the same other parameters */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of standing orders, the newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StandingOrderPage"];
                };
            };
        };
    };
    openStandingOrder: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the wallet */
                walletId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenStandingOrderRequest"];
            };
        };
        responses: {
            /** @description The standing order, `active` */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StandingOrder"];
                };
            };
        };
    };
    getStandingOrder: {
        parameters: {
            query?: never;
            header?: {
                /** @description Entity tags that the client has; the answer is 304 when the current one is among them */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            path: {
                /** @description The id of the standing order */
                standingOrderId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The standing order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StandingOrder"];
                };
            };
            /** @description It has not changed since the version in If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    cancelStandingOrder: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the standing order */
                standingOrderId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CancelStandingOrderRequest"];
            };
        };
        responses: {
            /** @description The standing order, `ended` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StandingOrder"];
                };
            };
        };
    };
    approve: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the approval */
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ApproveRequest"];
            };
        };
        responses: {
            /** @description The approval, `approved`: its command was executed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
        };
    };
    reject: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the approval */
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RejectRequest"];
            };
        };
        responses: {
            /** @description The approval, `rejected` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
        };
    };
    getApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the approval */
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The approval */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
        };
    };
    listApprovals: {
        parameters: {
            query?: {
                /** @description `asked`: those that can be approved; `expired`: those that expired without a decision */
                status?: "asked" | "expired";
                /** @description Items on a page */
                limit?: number;
                /** @description The `nextCursor` of the page before, with the same other parameters */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of approvals */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalPage"];
                };
            };
        };
    };
    createBatch: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-ndjson": components["schemas"]["CreateBatchRequest"];
            };
        };
        responses: {
            /** @description Stored: a worker makes the payments */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
        };
    };
    getBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the batch */
                batchId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The batch */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
        };
    };
    listBatchItems: {
        parameters: {
            query?: {
                /** @description Items on a page */
                limit?: number;
                /** @description The `nextCursor` of the page before, with the same other parameters */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The id of the batch */
                batchId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the lines, in the order of the file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchItemPage"];
                };
            };
        };
    };
    getNotificationPreferences: {
        parameters: {
            query?: {
                /** @description For operators: the owner, if it is not the caller */
                ownerId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The owner's preferences; no channel is on until the owner turns it on */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationPreferences"];
                };
            };
        };
    };
    putNotificationPreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutNotificationPreferencesRequest"];
            };
        };
        responses: {
            /** @description The owner's new preferences */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationPreferences"];
                };
            };
        };
    };
    listWebhooks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All endpoints, the oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookList"];
                };
            };
        };
    };
    createWebhook: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateWebhookRequest"];
            };
        };
        responses: {
            /** @description The endpoint, with its secret */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    getWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the webhook */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The endpoint */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    putWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the webhook */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutWebhookRequest"];
            };
        };
        responses: {
            /** @description The endpoint as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    rotateWebhookSecret: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the webhook */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RotateWebhookSecretRequest"];
            };
        };
        responses: {
            /** @description The endpoint, with its new secret */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    pingWebhook: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the webhook */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PingWebhookRequest"];
            };
        };
        responses: {
            /** @description The ping is sent like an event */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    replayWebhook: {
        parameters: {
            query?: never;
            header: {
                /** @description Names this command among those of the caller, for ever: a repetition of the key moves no money */
                "Idempotency-Key": components["parameters"]["Idempotency-Key"];
            };
            path: {
                /** @description The id of the webhook */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayWebhookRequest"];
            };
        };
        responses: {
            /** @description The replay runs */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    listWebhookDeliveries: {
        parameters: {
            query?: {
                /** @description Items on a page */
                limit?: number;
                /** @description The `nextCursor` of the page before, with the same other parameters */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The id of the webhook */
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of deliveries, those of the newest events first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryPage"];
                };
            };
        };
    };
    integrity: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Discrepancies in the books, and the progress of their check */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Integrity"];
                };
            };
        };
    };
    bankNotifications: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BankNotificationsRequest"];
            };
        };
        responses: {
            /** @description Known and booked, now or before */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Notified"];
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The service can do its work */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    headHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The service can do its work */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getDescription: {
        parameters: {
            query?: never;
            header?: {
                /** @description Entity tags that the client has; the answer is 304 when the current one is among them */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The description */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Description"];
                };
            };
            /** @description It has not changed since the version in If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getReference: {
        parameters: {
            query?: never;
            header?: {
                /** @description Entity tags that the client has; the answer is 304 when the current one is among them */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description It has not changed since the version in If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
}
/** The values that a text may have in this version. A later one may have more. */
export interface KnownValues {
    Wallet: {
        status: "active" | "frozen" | "closed";
    };
    Transaction: {
        type: "charge" | "withdrawal" | "transfer" | "return" | "hold" | "capture" | "refund" | "collection";
        status: "scheduled" | "pending" | "executing" | "completed" | "failed" | "review" | "open" | "ended";
        waitingFor: "wallet_frozen" | "bank_closed";
        end: "captured" | "released" | "expired";
    };
    DryRun: {
        type: "transfer" | "withdrawal" | "capture" | "charge";
    };
    StandingOrder: {
        status: "active" | "ended";
        every: "week" | "month";
        end: "completed" | "cancelled" | "wallet_closed";
    };
    Approval: {
        command: "charge" | "refund" | "resolve" | "unfreeze" | "set-limits";
        status: "asked" | "approved" | "rejected" | "expired";
    };
    Batch: {
        status: "accepted" | "executing" | "completed";
    };
    BatchItem: {
        status: "waiting" | "refused" | "scheduled" | "pending" | "executing" | "completed" | "failed" | "review" | "open" | "ended";
    };
    Webhook: {
        status: "active" | "disabled" | "deleted";
        disabledBecause: "operator" | "failing" | "stack";
    };
    Delivery: {
        status: "waiting" | "delivered" | "parked";
    };
    Entry: {
        statusAfter: "active" | "frozen" | "closed";
    };
    StatementFile: {
        format: "json" | "csv" | "camt.053";
        status: "pending" | "ready" | "failed";
    };
    Pass: {
        status: "running" | "sound" | "discrepancies";
        stage: "books" | "bank" | "sums" | "done";
    };
    Problem: {
        code: "invalid_request" | "idempotency_key_required" | "unauthorized" | "forbidden" | "operator_limit_exceeded" | "not_found" | "wallet_not_found" | "transaction_not_found" | "approval_not_found" | "batch_not_found" | "standing_order_not_found" | "webhook_not_found" | "statement_not_found" | "wallet_frozen" | "wallet_closed" | "wallet_not_empty" | "limits_changed" | "payload_too_large" | "query_too_broad" | "unsupported_media_type" | "insufficient_funds" | "currency_mismatch" | "same_wallet" | "balance_limit_exceeded" | "limit_exceeded" | "receiver_unavailable" | "fee_exceeds_amount" | "idempotency_key_reused" | "rate_limited" | "statement_too_long" | "alias_unavailable" | "too_many_aliases" | "reference_taken" | "not_in_review" | "not_cancellable" | "not_a_hold" | "hold_ended" | "hold_expired" | "exceeds_hold" | "not_refundable" | "exceeds_refundable" | "too_many_refunds" | "too_many_scheduled" | "too_many_standing_orders" | "approval_ended" | "approval_expired" | "standing_order_ended" | "webhook_limit_reached" | "webhook_disabled" | "webhook_replay_running" | "ledger_behind" | "another_bank" | "token_not_checked" | "overloaded" | "busy" | "internal_error";
        limit: "out.perTransaction" | "out.perDay" | "out.perMonth" | "in.perTransaction" | "in.perDay" | "in.perMonth" | "minimumBalance" | "creditLine" | "maximumBalance";
    };
}
