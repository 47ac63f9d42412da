package credit;

import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How far the input that was there at the start is processed, and what that took until certain
 * points: the CPU time of the process (all its threads, user and system) and the wall time since
 * the JVM's start, both in seconds.
 */
final class Progress {
  private static final com.sun.management.OperatingSystemMXBean PROCESS =
      (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final Map<Integer, Long> ends;
  private final long records;
  private final CountDownLatch left;
  private final AtomicLong taken = new AtomicLong();
  private volatile String first;
  private volatile String half;

  /** `ends`: partition → offset behind its last record, of partitions that have any. */
  Progress(Map<Integer, Long> ends, long records) {
    this.ends = ends;
    this.records = records;
    left = new CountDownLatch(ends.size());
  }

  /** Called once for each record. */
  boolean isLast(int partition, long offset) {
    long number = taken.incrementAndGet();
    if (number == 1) first = now();
    if (number == records / 2) half = now();
    return offset + 1 == ends.get(partition);
  }

  void ended(int partition) {
    left.countDown();
  }

  void await() throws InterruptedException {
    left.await();
  }

  /** As JSON; to be called when all is committed. */
  String summary() {
    return String.format("{\"records\": %d, \"first\": %s, \"half\": %s, \"end\": %s}", taken.get(),
        first, half, now());
  }

  private static String now() {
    long started = ManagementFactory.getRuntimeMXBean().getStartTime();
    return String.format("{\"cpu_s\": %.3f, \"seconds\": %.3f}",
        PROCESS.getProcessCpuTime() / 1e9, (System.currentTimeMillis() - started) / 1e3);
  }
}
