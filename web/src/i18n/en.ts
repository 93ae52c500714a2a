// What the first screens say: the frame, the sign-in, the schedule.
import schedule from "./en/schedule.json";
import shell from "./en/shell.json";

export default { shell, schedule };
