/** How many items a page has unless the request says otherwise. */
export const DEFAULT_PAGE_LIMIT = 100;

export const Time = { type: "integer", description: "Milliseconds since the Unix epoch" } as const;
export const Duration = { type: "integer", description: "Milliseconds" } as const;
export const Text = { type: "string" } as const;
export const Flag = { type: "boolean" } as const;
export const Handle = { type: "string", minLength: 1, maxLength: 256, description: "Session handle" } as const;
export const UserId = {
  type: "string",
  minLength: 1,
  maxLength: 512,
  description: "The application's name of the user",
} as const;
export const TenantId = {
  type: "string",
  minLength: 1,
  maxLength: 64,
  description: "Tenant; `public` unless given",
} as const;
export const JsonObject = { type: "object", additionalProperties: true, description: "A JSON object" } as const;
export const PageLimit = { type: "integer", minimum: 1, maximum: 500, default: DEFAULT_PAGE_LIMIT } as const;
export const PageStart = { type: "string", maxLength: 2048, description: "The `next` of the page before" } as const;
export const Algorithm = { enum: ["RS256", "ES256"] } as const;
