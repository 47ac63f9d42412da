package credit;

import java.io.OutputStream;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.Encoder;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * The workload on Flink, file to files, exactly once: FlinkCredit IN OUTDIR STATEDIR THREADS
 * CHECKPOINT_MS. Settings are those that were found to be fastest: object reuse, RocksDB with
 * incremental checkpoints, 512 MiB of managed memory.
 */
public final class FlinkCredit {
  private static final TypeInformation<byte[]> BYTES =
      PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;
  private static final OutputTag<byte[]> REJECTS = new OutputTag<>("rejects", BYTES);
  private static final OutputTag<byte[]> LEGAL = new OutputTag<>("legal", BYTES);
  private static final OutputTag<byte[]> NATURAL = new OutputTag<>("natural", BYTES);

  private static final class Parse extends ProcessFunction<String, Entry> {
    private transient Cleansing cleansing;

    @Override
    public void open(OpenContext context) {
      cleansing = new Cleansing();
    }

    @Override
    public void processElement(String line, Context context, Collector<Entry> out) {
      Entry entry = cleansing.read(line);
      if (entry.reason == null) {
        out.collect(entry);
      } else {
        context.output(REJECTS, cleansing.refusal(entry));
      }
    }
  }

  private static final class Dedupe extends KeyedProcessFunction<String, Entry, String> {
    private transient Cleansing cleansing;
    private transient ValueState<Boolean> seen;

    @Override
    public void open(OpenContext context) {
      cleansing = new Cleansing();
      seen = getRuntimeContext().getState(new ValueStateDescriptor<>("seen", Types.BOOLEAN));
    }

    @Override
    public void processElement(Entry entry, Context context, Collector<String> out)
        throws Exception {
      if (seen.value() != null) return;
      seen.update(true);
      context.output(entry.isLegal() ? LEGAL : NATURAL, cleansing.json(entry));
      out.collect(entry.dept + "|" + entry.kind);
    }
  }

  private static final class Count implements AggregateFunction<String, Long, Long> {
    @Override
    public Long createAccumulator() {
      return 0L;
    }

    @Override
    public Long add(String key, Long count) {
      return count + 1;
    }

    @Override
    public Long getResult(Long count) {
      return count;
    }

    @Override
    public Long merge(Long a, Long b) {
      return a + b;
    }
  }

  private static final class WindowLine
      extends ProcessWindowFunction<Long, byte[], String, TimeWindow> {
    private transient Cleansing cleansing;

    @Override
    public void open(OpenContext context) {
      cleansing = new Cleansing();
    }

    @Override
    public void process(String key, Context context, Iterable<Long> counts, Collector<byte[]> out) {
      int bar = key.indexOf('|');
      TimeWindow window = context.window();
      out.collect(cleansing.window(key.substring(0, bar), key.substring(bar + 1),
          window.getStart(), window.getEnd(), counts.iterator().next()));
    }
  }

  private static Configuration settings(String state, int threads) {
    Configuration settings = new Configuration();
    settings.setString("state.backend.type", "rocksdb");
    settings.setString("execution.checkpointing.incremental", "true");
    settings.setString("execution.checkpointing.dir", "file://" + state);
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("taskmanager.memory.managed.size", "512m");
    settings.setString("taskmanager.memory.network.min", "128m");
    settings.setString("taskmanager.memory.network.max", "128m");
    settings.setString("taskmanager.numberOfTaskSlots", Integer.toString(threads));
    settings.setString("rest.port", "0");
    return settings;
  }

  private static void write(DataStream<byte[]> stream, String folder, String name) {
    Encoder<byte[]> lines = (byte[] line, OutputStream out) -> {
      out.write(line);
      out.write('\n');
    };
    stream.sinkTo(FileSink.forRowFormat(new Path(folder + "/" + name), lines)
        .withRollingPolicy(OnCheckpointRollingPolicy.build()).build()).name(name);
  }

  public static void main(String[] arguments) throws Exception {
    String input = arguments[0];
    String output = arguments[1];
    int threads = Integer.parseInt(arguments[3]);
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(
        threads, settings(arguments[2], threads));
    environment.enableCheckpointing(Long.parseLong(arguments[4]), CheckpointingMode.EXACTLY_ONCE);
    FileSource<String> source =
        FileSource.forRecordStreamFormat(new TextLineInputFormat("UTF-8"), new Path(input)).build();
    SingleOutputStreamOperator<Entry> entries = environment
        .fromSource(source, WatermarkStrategy.noWatermarks(), "lines")
        .process(new Parse()).name("parse");
    SingleOutputStreamOperator<String> once = entries
        .assignTimestampsAndWatermarks(WatermarkStrategy.<Entry>forMonotonousTimestamps()
            .withTimestampAssigner((entry, before) -> entry.ts))
        .keyBy(entry -> entry.dept + "|" + entry.id, Types.STRING)
        .process(new Dedupe()).returns(Types.STRING).name("dedupe");
    DataStream<byte[]> windows = once.keyBy(key -> key, Types.STRING)
        .window(TumblingEventTimeWindows.of(Duration.ofSeconds(10)))
        .aggregate(new Count(), new WindowLine(), Types.LONG, Types.LONG, BYTES).name("windows");
    write(once.getSideOutput(LEGAL), output, "legal");
    write(once.getSideOutput(NATURAL), output, "natural");
    write(entries.getSideOutput(REJECTS), output, "rejects");
    write(windows, output, "windows");
    environment.execute("credit");
  }
}
