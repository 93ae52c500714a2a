// Links in Mantine's dress. Their `to`, `params` and `search` are checked against the routes.
import { Anchor, type AnchorProps, Button, type ButtonProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, Ref } from "react";

type Dressed<P> = P & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof P> & { ref?: Ref<HTMLAnchorElement> };

/** A link that looks like a button. */
export const ButtonLink = createLink((props: Dressed<ButtonProps>) => <Button component="a" {...props} />);

/** A link in running text. */
export const AnchorLink = createLink((props: Dressed<AnchorProps>) => <Anchor underline="always" {...props} />);
