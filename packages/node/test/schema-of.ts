/** A schema as zod and others make them, without one of them. `check` gives what is wrong with `role`, or the output. */
export const schemaOf = <Value extends object>(check: (value: Value) => Value | string | Promise<Value | string>) => {
  const resultOf = (checked: Value | string) =>
    typeof checked === "string" ? { issues: [{ message: checked, path: ["role"] }] } : { value: checked };
  return {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown) => {
        const checked = check(value as Value);
        return checked instanceof Promise ? checked.then(resultOf) : resultOf(checked);
      },
      types: undefined as { readonly input: Value; readonly output: Value } | undefined,
    },
  };
};
