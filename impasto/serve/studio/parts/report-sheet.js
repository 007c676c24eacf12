// A report over the page: of a check, or of a training. It runs in an origin of its own, as the server sends it.
import { h, Part } from "../element.js";
import { service } from "../service.js";
import { t } from "../words.js";

export class ReportSheet extends Part {
  build() {
    this.name = h("strong");
    this.frame = h("iframe", { title: t("report") });
    this.dialog = h("dialog.report", { onclose: () => this.frame.removeAttribute("src") },
      h("div.tools", {}, this.name, h("button.quiet", { type: "button", onclick: () => this.dialog.close() }, t("close"))), this.frame);
    this.append(this.dialog);
  }

  open(job, file) {
    this.name.textContent = job.title;
    this.frame.src = service.url(`/jobs/${job.id}/results/${file}`);
    this.dialog.showModal();
  }
}

customElements.define("report-sheet", ReportSheet);
