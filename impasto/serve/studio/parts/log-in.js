// Who comes without a session says who they are: a key, or the server's token.
import { h, Part, trying } from "../element.js";
import { service } from "../service.js";
import { t } from "../words.js";

export class LogIn extends Part {
  build() {
    const field = h("input", { type: "password", autocomplete: "current-password", "aria-label": t("token"), placeholder: t("token"), required: true });
    const enter = trying(async event => {
      event.preventDefault();
      await service.enter(field.value.trim());
      location.reload();
    });
    this.append(h("form", { onsubmit: enter }, h("h1", {}, "impasto"), h("p.hint", {}, t("tokenHint")), field, h("button.main", { type: "submit" }, t("enter"))));
    field.focus();
  }
}

customElements.define("log-in", LogIn);
