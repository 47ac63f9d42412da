package credit;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Steps 1 to 5 of the workload for one partition. One processor, not a chain: that is what costs
 * Kafka Streams least. A department is in one partition, so nothing needs to be repartitioned.
 */
final class CreditProcessor implements Processor<byte[], byte[], byte[], byte[]> {
  private static final byte[] SEEN = {1};
  private static final long WINDOW_MS = 10_000;
  /** A window is closed when a record is this much newer than its end. */
  private static final long GRACE_MS = 10_000;

  private final Progress progress;
  private final Cleansing cleansing = new Cleansing();
  private ProcessorContext<byte[], byte[]> context;
  private KeyValueStore<String, byte[]> seen;
  /** Start of the window (8 bytes), department, '|', kind → count. */
  private KeyValueStore<byte[], Long> counts;
  private long newestWindow = Long.MIN_VALUE;

  private CreditProcessor(Progress progress) {
    this.progress = progress;
  }

  /** `cached`: the store of the keys too, not only that of the counts. */
  static ProcessorSupplier<byte[], byte[], byte[], byte[]> supplier(
      Progress progress, boolean cached) {
    StoreBuilder<KeyValueStore<String, byte[]>> seen = Stores.keyValueStoreBuilder(
        Stores.persistentKeyValueStore("seen"), Serdes.String(), Serdes.ByteArray());
    StoreBuilder<KeyValueStore<byte[], Long>> counts = Stores.keyValueStoreBuilder(
        Stores.persistentKeyValueStore("counts"), Serdes.ByteArray(), Serdes.Long());
    Set<StoreBuilder<?>> stores =
        Set.of(cached ? seen.withCachingEnabled() : seen, counts.withCachingEnabled());
    return new ProcessorSupplier<>() {
      @Override
      public Processor<byte[], byte[], byte[], byte[]> get() {
        return new CreditProcessor(progress);
      }

      @Override
      public Set<StoreBuilder<?>> stores() {
        return stores;
      }
    };
  }

  @Override
  public void init(ProcessorContext<byte[], byte[]> context) {
    this.context = context;
    seen = context.getStateStore("seen");
    counts = context.getStateStore("counts");
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    take(record);
    var place = context.recordMetadata().orElseThrow();
    if (progress.isLast(place.partition(), place.offset())) {
      closeWindows(Long.MAX_VALUE);
      progress.ended(place.partition());
    }
  }

  private void take(Record<byte[], byte[]> record) {
    Entry entry = cleansing.read(record.value());
    if (entry.reason != null) {
      context.forward(record.withValue(cleansing.refusal(entry)), "rejects");
      return;
    }
    if (seen.putIfAbsent(entry.dept + "|" + entry.id, SEEN) != null) return;
    context.forward(record.withValue(cleansing.json(entry)), entry.isLegal() ? "legal" : "natural");
    count(entry);
  }

  private void count(Entry entry) {
    long window = entry.ts - entry.ts % WINDOW_MS;
    if (window > newestWindow) {
      newestWindow = window;
      closeWindows(window - GRACE_MS);
    }
    byte[] key = key(window, entry.dept + "|" + entry.kind);
    Long count = counts.get(key);
    counts.put(key, count == null ? 1L : count + 1);
  }

  private static byte[] key(long window, String rest) {
    byte[] bytes = rest.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + bytes.length).putLong(window).put(bytes).array();
  }

  /** Those that end at `end` or before. */
  private void closeWindows(long end) {
    long before = end == Long.MAX_VALUE ? end : end - WINDOW_MS + 1;
    if (before < 0) return;
    List<byte[]> closed = new ArrayList<>();
    try (KeyValueIterator<byte[], Long> all = counts.range(key(0, ""), key(before, ""))) {
      while (all.hasNext()) {
        KeyValue<byte[], Long> next = all.next();
        write(next.key, next.value);
        closed.add(next.key);
      }
    }
    closed.forEach(counts::delete);
  }

  private void write(byte[] key, long count) {
    long window = ByteBuffer.wrap(key).getLong();
    String[] names = new String(key, 8, key.length - 8, StandardCharsets.UTF_8).split("\\|");
    byte[] line = cleansing.window(names[0], names[1], window, window + WINDOW_MS, count);
    byte[] dept = names[0].getBytes(StandardCharsets.UTF_8);
    context.forward(new Record<>(dept, line, window + WINDOW_MS), "windows");
  }
}
