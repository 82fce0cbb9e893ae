export { createLogoutReceiver, type LogoutOutcome, type ReceiveLogout } from "./logout-receiver.js";
