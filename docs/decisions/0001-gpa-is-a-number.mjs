// Evidence for the decision record beside it: what a column of addresses costs
// in JavaScript, by element type. Prints the rows of its table.
const COUNT = 1_000_000;
const ROUNDS = 15;
const PAGE = 4096;

const columns = {
  "`BigUint64Array`": {
    make: () => new BigUint64Array(COUNT),
    write: (column) => {
      for (let i = 0; i < COUNT; i++) column[i] = BigInt(i * PAGE);
    },
    read: (column) => {
      let sum = 0;
      for (let i = 0; i < COUNT; i++) sum += Number(column[i]);
      return sum;
    },
  },
  "two `Uint32Array` halves": {
    make: () => new Uint32Array(2 * COUNT),
    write: (column) => {
      for (let i = 0; i < COUNT; i++) {
        column[2 * i] = i * PAGE;
        column[2 * i + 1] = (i * PAGE) / 2 ** 32;
      }
    },
    read: (column) => {
      let sum = 0;
      for (let i = 0; i < COUNT; i++) sum += column[2 * i] + column[2 * i + 1] * 2 ** 32;
      return sum;
    },
  },
  "`Float64Array`": {
    make: () => new Float64Array(COUNT),
    write: (column) => {
      for (let i = 0; i < COUNT; i++) column[i] = i * PAGE;
    },
    read: (column) => {
      let sum = 0;
      for (let i = 0; i < COUNT; i++) sum += column[i];
      return sum;
    },
  },
};

const expected = (PAGE * COUNT * (COUNT - 1)) / 2;

function medianNs(work) {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return (times.sort((a, b) => a - b)[ROUNDS >> 1] * 1e6) / COUNT;
}

for (const [name, { make, write, read }] of Object.entries(columns)) {
  const column = make();
  const writeNs = medianNs(() => write(column));
  const readNs = medianNs(() => {
    if (Math.abs(read(column) - expected) > 1) throw new Error(`${name}: the sum is wrong`);
  });
  console.log(`| ${name} | ${writeNs.toFixed(1)} | ${readNs.toFixed(1)} |`);
}
