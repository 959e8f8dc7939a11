/** One reader for all event source mappings of a stream: each page is read, and made what Lambda sees, once. */
import { openTableStream } from './table-streams.ts';
import type { Page, TableStream } from './table-streams.ts';

export interface TableStreams {
  /** Returns the table's stream, which others may read too; undefined when the table has none. */
  open(tableName: string, streamArn: string): Promise<TableStream | undefined>;
}

export function createTableStreams(endpoint: string): TableStreams {
  const opened = new Map<string, Promise<SharedStream | undefined>>();
  return {
    async open(tableName, streamArn) {
      const opening =
        opened.get(streamArn) ??
        openTableStream(endpoint, tableName, streamArn).then((stream) => stream && shareStream(stream));
      opened.set(streamArn, opening);
      return (await opening)?.reader();
    },
  };
}

interface SharedStream {
  /** Returns a reader of the stream; the stream is closed with its last reader. */
  reader(): TableStream;
}

/** Pages of a shard that a reader behind the others still finds. Readers wait for each other within a page. */
const keptPages = 2;
/** An empty page of this age stands for another read, ms. Readers ask again after some 100 ms. */
const freshMs = 50;

interface KeptPage {
  readonly from: string;
  readonly page: Promise<Page>;
  /** When the page was asked for, ms of `performance.now()`. */
  readonly at: number;
  /** Whether the page is read and has nothing new. */
  isEmpty: boolean;
}

export function shareStream(stream: TableStream): SharedStream {
  const shards = new Map<string, KeptPage[]>();
  let readers = 0;

  function read(shardId: string, from: string): Promise<Page> {
    const pages = shards.get(shardId) ?? [];
    shards.set(shardId, pages);
    const known = pages.find((one) => one.from === from);
    if (known && (!known.isEmpty || performance.now() - known.at < freshMs)) return known.page;
    if (known) pages.splice(pages.indexOf(known), 1);
    const page = stream.read(shardId, from);
    const kept: KeptPage = { from, page, at: performance.now(), isEmpty: false };
    pages.push(kept);
    pages.splice(0, pages.length - keptPages);
    page.then(
      ({ position, ended }) => {
        kept.isEmpty = position === from && !ended;
      },
      () => {
        if (pages.includes(kept)) pages.splice(pages.indexOf(kept), 1);
      },
    );
    return page;
  }

  return {
    reader() {
      readers += 1;
      return {
        arn: stream.arn,
        shards: () => stream.shards(),
        read,
        close() {
          readers -= 1;
          if (readers === 0) stream.close();
        },
      };
    },
  };
}
