/** The tables of a copy of the books. */
export const tables = `
  CREATE TABLE wallets (wallet_id TEXT PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE crowds (wallet_id TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE stand_ins (id TEXT PRIMARY KEY, wallet_id TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX stand_ins_of_wallet ON stand_ins (wallet_id);
  CREATE TABLE chargebacks (id TEXT PRIMARY KEY, wallet_id TEXT NOT NULL, amount INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX chargebacks_of_wallet ON chargebacks (wallet_id);
  CREATE TABLE lines (wallet_id TEXT PRIMARY KEY, owner_id TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE unreadable (
    id TEXT PRIMARY KEY, type TEXT NOT NULL, original TEXT NOT NULL, amount INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE operations (id TEXT PRIMARY KEY, principal TEXT NOT NULL, created_at TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE legs (id TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE records (
    id TEXT PRIMARY KEY, type TEXT NOT NULL, status TEXT NOT NULL, wallet_id TEXT NOT NULL, amount INTEGER NOT NULL,
    currency TEXT NOT NULL, created_at TEXT NOT NULL, bank_id TEXT NOT NULL, counterpart TEXT NOT NULL,
    postings INTEGER NOT NULL, marked INTEGER NOT NULL, refunds TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE bookings (
    id TEXT NOT NULL, nth INTEGER NOT NULL, account TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL,
    available INTEGER NOT NULL, held INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (id, nth, account))
    WITHOUT ROWID;
  CREATE TABLE entries (
    wallet_id TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL,
    available INTEGER NOT NULL, held INTEGER NOT NULL, hash TEXT NOT NULL, item TEXT NOT NULL,
    PRIMARY KEY (wallet_id, version))
    WITHOUT ROWID;
  CREATE TABLE deltas (
    n INTEGER PRIMARY KEY AUTOINCREMENT, wallet_id TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL,
    available TEXT NOT NULL, held TEXT NOT NULL);
  CREATE INDEX deltas_of_wallet ON deltas (wallet_id, n);
  CREATE TABLE totals (
    account TEXT NOT NULL, hour TEXT NOT NULL, pk TEXT NOT NULL, booked TEXT NOT NULL, PRIMARY KEY (pk, hour))
    WITHOUT ROWID;
  CREATE TABLE counted (
    id TEXT NOT NULL, count INTEGER NOT NULL, content TEXT NOT NULL, PRIMARY KEY (id, count)) WITHOUT ROWID;
  CREATE TABLE transaction_events (
    id TEXT PRIMARY KEY, rank INTEGER NOT NULL, at TEXT NOT NULL, created_at TEXT NOT NULL, event TEXT NOT NULL,
    maker TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE wallet_events (wallet_id TEXT PRIMARY KEY, version INTEGER NOT NULL, event TEXT NOT NULL,
    maker TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE limit_events (wallet_id TEXT NOT NULL, version INTEGER NOT NULL, event TEXT NOT NULL,
    credit INTEGER NOT NULL, PRIMARY KEY (wallet_id, version)) WITHOUT ROWID;
  CREATE TABLE taken (pk TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE referring (
    id TEXT PRIMARY KEY, pk TEXT NOT NULL, created_at TEXT NOT NULL, item TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE aliases (name TEXT PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE counted_aliases (name TEXT NOT NULL, owner_id TEXT NOT NULL, PRIMARY KEY (name, owner_id)) WITHOUT ROWID;
  CREATE TABLE alias_events (
    wallet_id TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL, alias TEXT NOT NULL, owner_id TEXT NOT NULL,
    PRIMARY KEY (wallet_id, version, at)) WITHOUT ROWID;
  CREATE TABLE fees (currency TEXT PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE orders (
    id TEXT PRIMARY KEY, wallet_id TEXT NOT NULL, is_active INTEGER NOT NULL, item TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX orders_of_wallet ON orders (wallet_id);
  CREATE TABLE order_events (
    id TEXT PRIMARY KEY, has_ended INTEGER NOT NULL, event TEXT NOT NULL, maker TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE upcoming (id TEXT PRIMARY KEY, order_id TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE approvals (id TEXT PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE approval_events (id TEXT PRIMARY KEY, has_ended INTEGER NOT NULL, event TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE unwritten (pk TEXT NOT NULL, sk TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (pk, sk)) WITHOUT ROWID;
  CREATE TABLE payments (
    reference TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, paid_at TEXT NOT NULL);
  CREATE INDEX payments_of_reference ON payments (reference);`;

/** Made when everything is loaded: an index that grows with the rows would double the time. */
export const indexes = `
  CREATE INDEX bookings_of_account ON bookings (account, name, at, available, held);
  CREATE INDEX entries_of_name ON entries (name);
  CREATE INDEX captures_of_hold ON records (counterpart) WHERE type = 'capture';
  CREATE INDEX scheduled_of_wallet ON records (wallet_id) WHERE status = 'scheduled';
  CREATE INDEX refunds_of_original ON records (counterpart) WHERE type = 'refund';
  CREATE INDEX unreadable_of_original ON unreadable (original);`;
