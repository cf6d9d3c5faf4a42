import { randomId } from '../publisher.js'
import type { OutboxItem } from './item.js'

const table = 'items'
/** How long the browser may take. Some never answer, until they are started anew. */
const patienceMs = 10_000

/** Makes requests, and reads what they have brought once all are done. */
type Work<T> = (items: IDBObjectStore) => () => T

/**
 * Disk keeps items in IndexedDB. A browser may close the database whenever it likes;
 * what fails is tried once more on a newly opened one, and then throws.
 */
export class Disk<Events extends object> {
  readonly #name: string
  readonly #taken: () => void
  #database: Promise<IDBDatabase> | undefined
  #mark = ''

  /** Calls `taken` when the database is taken away while it is open. */
  constructor(name: string, taken: () => void) {
    this.#name = name
    this.#taken = taken
  }

  /** Which database it was that was opened last: one that was deleted and made anew is another. */
  get mark(): string {
    return this.#mark
  }

  all(): Promise<OutboxItem<Events>[]> {
    return this.#within('readonly', (items) => {
      const all: IDBRequest<OutboxItem<Events>[]> = items.getAll()
      return () => all.result
    })
  }

  /** Keeps items, and forgets one: all of it or nothing. */
  write(changed: readonly OutboxItem<Events>[], forgotten?: string): Promise<void> {
    return this.#within('readwrite', (items) => {
      for (const item of changed) items.put(item)
      if (forgotten !== undefined) items.delete(forgotten)
      return () => {}
    })
  }

  close(): void {
    const opened = this.#database
    this.#database = undefined
    opened?.then(
      (database) => database.close(),
      () => {},
    )
  }

  async #within<T>(mode: IDBTransactionMode, work: Work<T>): Promise<T> {
    try {
      return await this.#once(mode, work)
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError') throw error
      this.close()
      return this.#once(mode, work)
    }
  }

  async #once<T>(mode: IDBTransactionMode, work: Work<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the disk does not answer')), patienceMs)
    })
    try {
      return await Promise.race([late, this.#open().then((database) => run(database, mode, work))])
    } finally {
      clearTimeout(timer)
    }
  }

  #open(): Promise<IDBDatabase> {
    this.#database ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1)
      request.onupgradeneeded = () => {
        request.result.createObjectStore(table, { keyPath: 'id' })
        request.result.createObjectStore(randomId()) // the mark: it can be read without a transaction
      }
      request.onerror = () => reject(request.error)
      request.onsuccess = () => {
        const database = request.result
        const forget = () => {
          database.close() // or a newer version of it waits for us
          this.#database = undefined
          this.#taken()
        }
        this.#mark = [...database.objectStoreNames].join()
        database.onversionchange = forget
        database.onclose = forget
        resolve(database)
      }
    })
    return this.#database
  }
}

function run<T>(database: IDBDatabase, mode: IDBTransactionMode, work: Work<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // Strict, so that what is said to be kept outlives the machine's failure too.
    const transaction = database.transaction(table, mode, { durability: 'strict' })
    const result = work(transaction.objectStore(table))
    transaction.oncomplete = () => resolve(result())
    transaction.onabort = () => reject(transaction.error ?? new Error('the database was closed'))
  })
}
