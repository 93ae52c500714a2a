// The request of a delivery as a command for a terminal. Pure.
import type { DeliveryDetail } from "../api-types.ts";

/** Between single quotes a shell reads everything as it stands, but for the quote itself. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Without the address and the masked headers: they are as good as passwords, and whoever runs it has their own. */
export function curlOf(
  { headers, masked }: Pick<DeliveryDetail["request"], "headers" | "masked">,
  body: string,
): string {
  const shown = Object.entries(headers).filter(([name]) => !masked.includes(name));
  return [
    'curl "$ADDRESS"',
    ...shown.map(([name, value]) => `  --header ${quoted(`${name}: ${value}`)}`),
    `  --data-binary ${quoted(body)}`,
  ].join(" \\\n");
}
