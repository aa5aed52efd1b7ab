// The form in front of every page.
import { useActionState } from "react";
import { signIn } from "./session.js";
import "./theme.css";
import "./sign-in.css";

async function submit(_refusal, form) {
  try {
    await signIn(form.get("email"), form.get("password"));
    return null;
  } catch (error) {
    return { message: error.message, email: form.get("email") };
  }
}

export function SignIn({ purpose }) {
  const [refusal, action, isPending] = useActionState(submit, null);
  return (
    <main className="sign-in">
      <form action={action}>
        <h1>Velocity</h1>
        <p>{purpose}</p>
        <label>
          E-mail
          <input name="email" type="email" autoComplete="username" defaultValue={refusal?.email} required autoFocus />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <button type="submit" disabled={isPending}>
          {isPending ? "Signing in…" : "Sign in"}
        </button>
        <p role="alert">{refusal?.message}</p>
      </form>
    </main>
  );
}
