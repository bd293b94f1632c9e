// The two pictures of one frame, side by side. Both are loaded and decoded off-screen and then exchanged
// together, so that the page never shows the pictures of two different frames.
const AGAIN = 1000; // milliseconds until a further try, when there is nothing to show
const STILL = 3000; // milliseconds without a new frame after which the picture is marked as old
const PATIENCE = 5000; // milliseconds for an answer of the console

export default {
  props: { source: String, rate: Number },
  template: `
    <div class="pair">
      <figure v-for="stream in streams" :key="stream.kind" class="stage" :data-kind="stream.kind" :data-still="still">
        <div class="stage-picture">
          <div class="stage-slot"></div>
          <p v-if="frame === null" class="stage-note">{{ note }}</p>
          <p v-else-if="still" class="stage-mark">no new picture</p>
        </div>
        <figcaption>
          <span class="stage-title">{{ stream.title }}</span>
          <span class="stage-says">{{ stream.says }}</span>
          <span class="stage-frame" v-if="frame !== null">frame {{ frame }}</span>
        </figcaption>
      </figure>
    </div>`,
  data() {
    return {
      frame: null,
      still: false,
      note: "Waiting for pictures …",
      streams: [
        { kind: "device", title: "Device stream", says: "untouched video" },
        { kind: "project", title: "Project stream", says: "what the model saw" },
      ],
    };
  },
  mounted() {
    this.alive = true;
    this.watch();
  },
  beforeUnmount() {
    this.alive = false;
  },
  watch: {
    source() {
      this.clear("Waiting for pictures …");
    },
  },
  methods: {
    async watch() {
      this.movedAt = performance.now();
      while (this.alive) {
        const began = performance.now();
        const pause = document.hidden || !this.source ? AGAIN : await this.turn();
        this.still = performance.now() - this.movedAt > STILL;
        await new Promise((done) => setTimeout(done, Math.max(10, began + pause - performance.now())));
      }
    },
    // One look for a newer frame. Gives the milliseconds from its beginning to the next look.
    async turn() {
      const source = this.source;
      try {
        const frame = await this.latest(source);
        if (frame === null) return AGAIN / 4;
        if (frame === this.frame) return 1000 / this.rate;
        const pictures = await Promise.all(this.streams.map((stream) => this.load(source, stream, frame)));
        if (source === this.source && this.alive) this.show(frame, pictures);
        return 1000 / this.rate;
      } catch (error) {
        if (this.frame === null) this.note = error.message;
        return error.name === "EncodingError" ? 1000 / this.rate : AGAIN;
      }
    },
    // The newest frame of which both pictures exist, or null. The console's own words are the error's message.
    async latest(source) {
      const answer = await fetch(`/pictures/${encodeURIComponent(source)}/latest.json`, {
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE),
      }).catch(() => {
        throw new Error("The console does not answer. Is “edge dev” still running?");
      });
      const said = await answer.json();
      if (said.error) throw new Error(said.error);
      return said.id;
    },
    async load(source, stream, frame) {
      const picture = new Image();
      picture.alt = `${stream.title} of ${source}, frame ${frame}`;
      picture.dataset.frame = frame;
      picture.src = `/pictures/${encodeURIComponent(source)}/${stream.kind}/${frame}.jpg`;
      await picture.decode();
      return picture;
    },
    show(frame, pictures) {
      this.slots().forEach((slot, index) => slot.replaceChildren(pictures[index]));
      this.frame = frame;
      this.movedAt = performance.now();
    },
    clear(note) {
      this.slots().forEach((slot) => slot.replaceChildren());
      this.frame = null;
      this.note = note;
      this.movedAt = performance.now();
    },
    slots() {
      return [...this.$el.querySelectorAll(".stage-slot")];
    },
  },
};
