/**
 * The embedded page: what its host may allow and choose, and how the two talk. The one table that the server, the page in
 * the frame and the web component share.
 */

/** What a session of the embedded page may do; each but `view` wants the ones that EMBED_NEEDS names. */
export const EMBED_CAPABILITIES = ["view", "manage", "new-secret", "include-patient"] as const;
export type EmbedCapability = (typeof EMBED_CAPABILITIES)[number];

/** A capability that means nothing without others. */
export const EMBED_NEEDS: Readonly<Record<EmbedCapability, readonly EmbedCapability[]>> = {
  view: [],
  manage: ["view"],
  "new-secret": ["view", "manage"],
  "include-patient": ["view", "manage"],
};

export const EMBED_COLOR_SCHEMES = ["auto", "light", "dark"] as const;
export const EMBED_RADII = ["none", "small", "medium", "large"] as const;
export const EMBED_FONT_SIZES = ["small", "medium", "large"] as const;
/** `#rrggbb`. */
export const EMBED_ACCENT = /^#[0-9a-f]{6}$/i;

/** How the embedded page looks; what is left out is Hookwell's own. */
export interface EmbedTheme {
  readonly color_scheme?: (typeof EMBED_COLOR_SCHEMES)[number] | undefined;
  readonly accent?: string | undefined;
  readonly radius?: (typeof EMBED_RADII)[number] | undefined;
  readonly font_size?: (typeof EMBED_FONT_SIZES)[number] | undefined;
}

/** The known values of whatever somebody sent as a theme; anything else is as if it were not there. */
export function readEmbedTheme(value: unknown): EmbedTheme {
  if (typeof value !== "object" || value === null) return {};
  const { color_scheme, accent, radius, font_size } = value as Record<string, unknown>;
  const scheme = EMBED_COLOR_SCHEMES.find((known) => known === color_scheme);
  const corner = EMBED_RADII.find((known) => known === radius);
  const size = EMBED_FONT_SIZES.find((known) => known === font_size);
  return {
    ...(scheme === undefined ? {} : { color_scheme: scheme }),
    ...(typeof accent === "string" && EMBED_ACCENT.test(accent) ? { accent: accent.toLowerCase() } : {}),
    ...(corner === undefined ? {} : { radius: corner }),
    ...(size === undefined ? {} : { font_size: size }),
  };
}
