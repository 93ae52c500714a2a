// The library below Mantine that holds the page still behind a dialog writes a <style> of its own. It comes with the first
// dialog, not with the page.
import { setNonce } from "get-nonce";
import { nonce } from "./nonce.ts";

setNonce(nonce);
