/** Without the port, and without the final dot of a fully qualified name. On this machine each port is a receiver of its own. */
export function hostNameOf(host: string): string {
  if (/^(localhost|127\.|\[::1\])/.test(host)) return host;
  return host.replace(/:\d+$/, "").replace(/\.$/, "");
}
