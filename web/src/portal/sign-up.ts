// What can be told of a sign-up before the server is asked. Pure. The limits are the server's.
import { PASSWORD_MIN_CHARACTERS } from "../ui/PasswordField.tsx";

interface SignUp {
  name: string;
  email: string;
  password: string;
}

/** The words for what is wrong; in the dictionaries under `portal.mistake`. */
type Mistake = "name" | "email" | "password";

/** By field; empty where nothing is wrong. */
export function signUpMistakes({ name, email, password }: SignUp): Partial<Record<keyof SignUp, Mistake>> {
  return {
    ...(name.trim() === "" && { name: "name" as const }),
    ...(/^[^\s@]+@[^\s@]+$/.test(email.trim()) ? {} : { email: "email" as const }),
    ...(password.length < PASSWORD_MIN_CHARACTERS && { password: "password" as const }),
  };
}
