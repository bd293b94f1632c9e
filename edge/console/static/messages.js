// The last messages as a table. Everything is put in as text; nothing of a message becomes markup.
export default {
  props: { rows: Array },
  template: `
    <section class="card messages" aria-labelledby="messages-title">
      <div class="card-head">
        <h2 id="messages-title">Last messages</h2>
        <button type="button" class="quiet-button" :aria-pressed="String(held !== null)" @click="toggle">
          {{ held === null ? "Hold" : "Go on" }}
        </button>
      </div>
      <p v-if="!shown.length" class="muted">None yet.</p>
      <div v-else class="scroll" tabindex="0" role="region" aria-labelledby="messages-title">
        <table>
          <thead>
            <tr><th scope="col">Time</th><th scope="col" class="number">Frame</th><th scope="col">Results</th>
                <th scope="col" class="number infer">Infer</th></tr>
          </thead>
          <tbody>
            <tr v-for="row in shown" :key="row.key">
              <td class="time"><time :datetime="iso(row.time)">{{ clock(row.time) }}</time></td>
              <td class="number">{{ row.frame }}</td>
              <td class="results">
                <span v-for="result in row.results" class="result">{{ result[0] }}<b v-if="result[1]">{{ result[1] }}</b></span>
                <span v-if="row.more" class="muted">and {{ row.more }} more</span>
                <span v-if="!row.results.length" class="muted">nothing found</span>
              </td>
              <td class="number infer">{{ row.infer }}</td>
            </tr>
          </tbody>
        </table>
      </div>
    </section>`,
  data() {
    return { held: null };
  },
  computed: {
    shown() {
      return this.held ?? this.rows;
    },
  },
  methods: {
    toggle() {
      this.held = this.held === null ? this.rows : null;
    },
    iso(milliseconds) {
      return milliseconds === null ? undefined : new Date(milliseconds).toISOString();
    },
    clock(milliseconds) {
      if (milliseconds === null) return "–";
      const moment = new Date(milliseconds);
      const time = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
      return `${time}.${String(moment.getMilliseconds()).padStart(3, "0")}`;
    },
  },
};
