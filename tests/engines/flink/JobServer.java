/** Beam's job server for Flink, for a cluster whose TaskManagers have its jars: it uploads none of them with a job. */
class JobServer {
  public static void main(String[] arguments) throws Exception {
    System.setProperty("java.class.path", ""); // where Beam looks for what to upload: 156 MB, 20 s a job
    org.apache.beam.runners.flink.FlinkJobServerDriver.main(arguments);
  }
}
