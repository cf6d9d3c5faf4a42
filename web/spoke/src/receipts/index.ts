/**
 * Receipts: what the hub's end-to-end latency is made of.
 *
 * @module
 */
export { type ReceiptOptions, type Receipts, sendReceipts } from './receipts.js'
