import type { SessionRecord } from "@pawl/storage";
import type { ProviderLogin } from "../session.js";

/** By which texts sessions of logins are found: those of a login, and those of a user there. */
type LoginTexts = Pick<SessionRecord, "link" | "subject">;

/** The texts of a login, as far as it is known. */
export const loginTexts = ({
  issuer,
  subject,
  sessionId,
}: Omit<ProviderLogin, "subject"> & { readonly subject?: string | undefined }): LoginTexts => ({
  ...(sessionId !== undefined && { link: JSON.stringify([issuer, sessionId]) }),
  ...(subject !== undefined && { subject: JSON.stringify([issuer, subject]) }),
});

/** The login that a session came from; undefined where it came from none elsewhere. */
export const providerLoginOf = ({ link, subject }: LoginTexts): ProviderLogin | undefined => {
  if (subject === undefined) return undefined;
  const [issuer, user] = JSON.parse(subject) as [string, string];
  return { issuer, subject: user, ...(link !== undefined && { sessionId: (JSON.parse(link) as [string, string])[1] }) };
};
