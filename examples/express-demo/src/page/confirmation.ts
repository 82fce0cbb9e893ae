import { byId } from "./element.js";

/** Asks whether it is still the same person. Rejects where they close the question. */
export const askToConfirm = (): Promise<void> => {
  const dialog = byId("confirmation") as HTMLDialogElement;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve, reject) => {
    const onClose = (): void => {
      if (dialog.returnValue === "confirmed") resolve();
      else reject(new Error("not confirmed"));
    };
    dialog.addEventListener("close", onClose, { once: true });
  });
};
