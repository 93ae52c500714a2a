import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deliveryId, parseDeliveryId, uuidv7 } from "./identifiers.ts";

const LAST_UUID_MS = 2 ** 48 - 1;
const time = fc.integer({ min: 0, max: LAST_UUID_MS });
const key = fc.record({
  eventId: time.map(uuidv7),
  webhookId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  part: fc.integer({ min: 0, max: 9_999 }),
});

describe("a webhook-id", () => {
  test("names one delivery: read back, it is the same event, webhook and part", () => {
    fc.assert(
      fc.property(key, (one) => {
        expect(parseDeliveryId(deliveryId(one))).toEqual(one);
      }),
    );
  });

  test("differs wherever event, webhook or part differ", () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const same = one.eventId === other.eventId && one.webhookId === other.webhookId && one.part === other.part;
        expect(deliveryId(one) === deliveryId(other)).toBe(same);
      }),
    );
  });

  test("is made of letters, digits and underscores alone: a full stop would blur what is signed", () => {
    fc.assert(
      fc.property(key, (one) => {
        expect(deliveryId(one)).toMatch(/^msg_[0-9a-f]{32}_\d+(_\d+)?$/);
      }),
    );
  });

  const hex = "0190a3b2c4d57e6f8a7b8c9d0e1f2a3b";
  test.each([`msg_${hex}_7`, `msg_${hex}_7_1`, `msg_${hex}_${Number.MAX_SAFE_INTEGER}_9999`])("is %s", (id) =>
    expect(parseDeliveryId(id)).not.toBeNull(),
  );
  test.each([
    "",
    "msg_",
    hex,
    `msg_${hex}`,
    `msg_${hex}_`,
    `msg_${hex}_0`,
    `msg_${hex}_07`,
    `msg_${hex}_-7`,
    `msg_${hex}_+7`,
    `msg_${hex}_7.0`,
    `msg_${hex}_7e1`,
    `msg_${hex}_${Number.MAX_SAFE_INTEGER + 1}`,
    `msg_${hex}_99999999999999999`,
    `msg_${hex}_7_`,
    `msg_${hex}_7_0`,
    `msg_${hex}_7_01`,
    `msg_${hex}_7_10000`,
    `msg_${hex}_7_1_1`,
    `msg_${hex.toUpperCase()}_7`,
    `MSG_${hex}_7`,
    ` msg_${hex}_7`,
    `msg_${hex}_7\n`,
    `msg_${hex}_７`,
    `msg_${hex.slice(1)}_7`,
    `msg_0${hex}_7`,
    `msg_${hex.replace(/^(.{12})7/, "$14")}_7`, // not version 7
    `msg_${hex.replace(/^(.{16})8/, "$1c")}_7`, // not RFC 9562's variant
    `msg_${uuidv7(1)}_7`, // with hyphens
  ])("is not %j", (id) => expect(parseDeliveryId(id)).toBeNull());
});

describe("an event's id", () => {
  test("is a UUIDv7 that tells its time", () => {
    fc.assert(
      fc.property(time, (ms) => {
        const id = uuidv7(ms);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(ms);
      }),
    );
  });

  test("sorts by time", () => {
    fc.assert(
      fc.property(time, time, (one, other) => {
        fc.pre(one !== other);
        expect(uuidv7(one) < uuidv7(other)).toBe(one < other);
      }),
    );
  });

  test("is never the same twice, not within one millisecond either", () => {
    expect(new Set(Array.from({ length: 5_000 }, () => uuidv7(1_700_000_000_000))).size).toBe(5_000);
  });
});
