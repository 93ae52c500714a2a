import { Button, type ButtonProps } from "@mantine/core";
import type { ButtonHTMLAttributes } from "react";
import { useKeptFocus } from "./focus.ts";

type Props = ButtonProps & Omit<ButtonHTMLAttributes<HTMLButtonElement>, keyof ButtonProps> & { pending: boolean };

/** Starts something that takes a while: disabled meanwhile, and the focus is where it was when it is over. */
export function PendingButton({ pending, ...props }: Props) {
  const button = useKeptFocus(pending);
  return <Button ref={button} loading={pending} {...props} />;
}
