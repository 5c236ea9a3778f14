export { type AcceptedMessage, isStorable, keptMs, MESSAGE_TYPES, readMessage } from './content.ts'
export { createDelivery, type Delivery, type DeliveryEffect, type DeliveryEvent, step } from './delivery.ts'
export { MessageStore, type StoredMessage } from './store.ts'
