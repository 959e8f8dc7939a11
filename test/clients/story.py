"""The story with the client that openapi-python-client makes from docs/openapi.json. Prints its facts as JSON."""

import json
import os
import time
import uuid

from wallet_api import AuthenticatedClient
from wallet_api.api.transactions import get_transaction, refund
from wallet_api.api.wallets import charge, create_wallet, get_balance, list_transactions, transfer, withdraw
from wallet_api.models import (
    ChargeRequest,
    CreateWalletRequest,
    GetBalanceConsistent,
    Problem,
    RefundRequest,
    Transaction,
    TransferRequest,
    WithdrawRequest,
    WithdrawRequestDestination,
)


def person(name: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=os.environ["WALLET_URL"], token=os.environ[f"TOKEN_{name}"], timeout=60)


def command(route, *path, client, body, key=None):
    """Sends a command until it has an answer, with the same key each time."""
    key = key or str(uuid.uuid4())
    for _ in range(20):
        answer = route.sync(*path, client=client, body=body, idempotency_key=key)
        if not (isinstance(answer, Problem) and answer.code in ("busy", "overloaded", "rate_limited")):
            return answer
        time.sleep(1)
    raise TimeoutError(key)


def available(client, wallet_id: str) -> int:
    return get_balance.sync(wallet_id, client=client, consistent=GetBalanceConsistent.TRUE).available


ada, ben, operator = person("ADA"), person("BEN"), person("OPERATOR")
wallet_of_ada = command(create_wallet, client=ada, body=CreateWalletRequest(currency="USD")).wallet_id
wallet_of_ben = command(create_wallet, client=ben, body=CreateWalletRequest(currency="USD")).wallet_id

key = str(uuid.uuid4())
charged = command(charge, wallet_of_ada, client=operator, body=ChargeRequest(amount=10_000), key=key)
repeated = command(charge, wallet_of_ada, client=operator, body=ChargeRequest(amount=10_000), key=key)
paid = command(
    transfer, wallet_of_ada, client=ada, body=TransferRequest(amount=3_000, to_wallet_id=wallet_of_ben)
)
destination = WithdrawRequestDestination(account="SIM-FLAKY")
withdrawn = command(
    withdraw, wallet_of_ada, client=ada, body=WithdrawRequest(amount=2_000, destination=destination)
)
deadline = time.monotonic() + 120
while True:
    seen = get_transaction.sync(withdrawn.transaction_id, client=ada)
    if isinstance(seen, Transaction) and seen.status in ("completed", "failed"):
        break
    assert time.monotonic() < deadline, "the withdrawal has not ended"
    time.sleep(0.5)
command(
    refund, paid.transaction_id, client=ben, body=RefundRequest(amount=1_000, reason="a part was missing")
)
refused = command(
    withdraw, wallet_of_ben, client=ben, body=WithdrawRequest(amount=1_000_000, destination=destination)
)
history = list_transactions.sync(wallet_of_ada, client=ada)
print(
    json.dumps(
        {
            "ada": available(ada, wallet_of_ada),
            "ben": available(ben, wallet_of_ben),
            "sameCharge": charged.transaction_id == repeated.transaction_id,
            "withdrawal": seen.status,
            "code": refused.code,
            "history": [one.type_ for one in history.items],
        }
    )
)
