/** The API as a script uses it: signed in as a person of the demo clinic. */
import type { DemoServer } from "./server.ts";

export interface ApiClient {
  get<Answer>(path: string): Promise<Answer>;
  post<Answer>(path: string, body: object, headers?: Record<string, string>): Promise<Answer>;
  patch<Answer>(path: string, body: object): Promise<Answer>;
  /** Status and body, whatever they are. */
  raw(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }>;
}

/** Signs in and returns a client that keeps the session. */
export async function signIn(server: Pick<DemoServer, "origin" | "email" | "password">): Promise<ApiClient> {
  const { origin, email, password } = server;
  const answer = await fetch(`${origin}/api/auth/sign-in/email`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ email, password }),
  });
  if (!answer.ok) throw new Error(`signing in answered ${answer.status}: ${await answer.text()}`);
  const cookie = answer.headers
    .getSetCookie()
    .map((set) => set.split(";")[0])
    .join("; ");
  async function send(
    method: string,
    path: string,
    { body, headers = {} }: { body?: object; headers?: Record<string, string> } = {},
  ) {
    const content = body && {
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers, cookie, origin },
    };
    return fetch(`${origin}/v1${path}`, { method, headers: { cookie, origin }, ...content });
  }
  async function parsed<Answer>(
    method: string,
    path: string,
    options?: { body?: object; headers?: Record<string, string> },
  ) {
    const response = await send(method, path, options);
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }
  return {
    get: (path) => parsed("GET", path),
    post: (path, body, headers) => parsed("POST", path, { body, ...(headers && { headers }) }),
    patch: (path, body) => parsed("PATCH", path, { body }),
    async raw(method, path, body) {
      const response = await send(method, path, body && { body });
      return { status: response.status, body: await response.json() };
    },
  };
}

interface List {
  data: { id: number; kind?: string }[];
}

/** The ids with which a script can schedule a one-to-one consult of the demo clinic. */
export async function oneToOne(api: ApiClient): Promise<object> {
  const [services, practitioners, patients] = await Promise.all([
    api.get<List>("/services"),
    api.get<List>("/practitioners"),
    api.get<List>("/patients"),
  ]);
  return {
    service_id: services.data.find((service) => service.kind === "one_to_one")?.id,
    practitioner_id: practitioners.data[0]?.id,
    patient_ids: [patients.data[0]?.id],
  };
}
