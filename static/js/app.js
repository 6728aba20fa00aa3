// Every page's behaviour; each module listens on the document and needs no set-up.
import "./keys.js";
import "./live.js";
import "./menus.js";
import "./theme.js";
import "./times.js";
import "./toast.js";
