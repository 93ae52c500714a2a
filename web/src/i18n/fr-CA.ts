// What the first screens say: the frame, the sign-in, the schedule.
import schedule from "./fr-CA/schedule.json";
import shell from "./fr-CA/shell.json";

export default { shell, schedule };
