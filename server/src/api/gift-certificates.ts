/**
 * /v1/gift-certificates: selling and redeeming. A sale is one `invoice.created` whose client is the purchaser; redeeming makes
 * no event (contract §4). A code comes in a body, never in an address, and may not be guessed at speed.
 */
import { z } from "zod";
import {
  getGiftCertificate,
  listGiftCertificates,
  redeemGiftCertificate,
  sellGiftCertificate,
} from "../clinic/credits/gift-certificates.ts";
import { inClinic } from "../db/pool.ts";
import { ProblemError } from "../errors.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import {
  GIFT_CERTIFICATE,
  GIFT_CERTIFICATE_SOLD,
  NEW_GIFT_CERTIFICATE,
  REDEMPTION,
  showGiftCertificate,
} from "./credit-shapes.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { billing, invoiceNow } from "./invoice-answers.ts";
import { readPayments } from "./invoice-shapes.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";

/** By one person on one node. With 80 random bits in a code even this is far from a guess in a lifetime. */
const REDEMPTIONS_PER_MINUTE_MAX = 20;
const CURSOR = z.tuple([z.int()]);

export async function giftCertificatesRoutes(app: App, context: ApiContext): Promise<void> {
  readRoutes(app, context);
  saleRoute(app, context);
  redeemRoute(app, context);
}

function readRoutes(app: App, { db, outbox }: ApiContext): void {
  const list = { querystring: PAGE_QUERY, response: { 200: pageOf(GIFT_CERTIFICATE) } };
  app.get(
    "/gift-certificates",
    { schema: { summary: "List gift certificates.", ...list } },
    async ({ principal: { clinicId }, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [before] = readCursor(query.cursor, CURSOR) ?? [];
      const page = { before, limit: limit + 1 };
      const rows = await inClinic(db, clinicId, (tx) => listGiftCertificates(tx, { clinicId, outbox }, page));
      return toPage(rows, limit, { item: showGiftCertificate, key: ({ id }) => [id] });
    },
  );

  const one = { params: ID_PARAMS, response: { 200: GIFT_CERTIFICATE } };
  app.get(
    "/gift-certificates/:id",
    { schema: { summary: "Read a gift certificate.", ...one } },
    async ({ principal: { clinicId }, params }) => {
      const id = readId(params.id, "gift certificate");
      return showGiftCertificate(
        await inClinic(db, clinicId, (tx) => getGiftCertificate(tx, { clinicId, outbox }, id)),
      );
    },
  );
}

function saleRoute(app: App, context: ApiContext): void {
  const sell = { body: NEW_GIFT_CERTIFICATE, response: { 201: GIFT_CERTIFICATE_SOLD } };
  app.post(
    "/gift-certificates",
    { schema: { summary: "Sell a gift certificate, whose code is shown this once.", ...sell } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const { purchaser_id: purchaserId, value, currency, expires_on: expiresOn, payments = [] } = request.body;
        const paid = (of: string) => readPayments(payments, of);
        const sale = { purchaserId, value, currency, expiresOn, payments: paid };
        const sold = await billing(context, tx, clinicId)((invoices) => sellGiftCertificate(invoices, sale));
        const certificate = await getGiftCertificate(tx, { clinicId, outbox: context.outbox }, sold.id);
        const invoice = await invoiceNow(tx, clinicId, sold.invoiceId);
        return { status: 201, body: { gift_certificate: showGiftCertificate(certificate), invoice } };
      }),
  );
}

function redeemRoute(app: App, context: ApiContext): void {
  const redeem = { body: REDEMPTION, response: { 200: GIFT_CERTIFICATE } };
  const config = {
    rateLimit: {
      max: REDEMPTIONS_PER_MINUTE_MAX,
      timeWindow: "1 minute",
      errorResponseBuilder: (_request: unknown, { ttl }: { ttl: number }) => tooMany(Math.ceil(ttl / 1_000)),
    },
  };
  app.post(
    "/gift-certificates/redeem",
    { schema: { summary: "Redeem a gift certificate for a patient by its code.", ...redeem }, config },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const clinic = { clinicId: request.principal.clinicId, outbox: context.outbox };
        const { code, patient_id: patientId } = request.body;
        const id = await redeemGiftCertificate(tx, clinic, { code, patientId });
        return { status: 200, body: showGiftCertificate(await getGiftCertificate(tx, clinic, id)) };
      }),
  );
}

function tooMany(retryAfterSeconds: number): ProblemError {
  return new ProblemError({
    status: 429,
    code: "too_many_requests",
    title: `More than ${REDEMPTIONS_PER_MINUTE_MAX} codes in a minute. Wait ${retryAfterSeconds} s, then go on.`,
    retryAfterSeconds,
  });
}
