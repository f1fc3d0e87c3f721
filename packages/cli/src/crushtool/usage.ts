/** What crushtool says of itself. The flags are Ceph's. */

export const USAGE = `usage: crushtool ...

Makes, changes, shows and tests CRUSH maps. Whatever is asked for is done in this order:

 - input: a map is read, compiled or built
 - tunables
 - changes
 - display and tests
 - output

Input

   -i, --infn <map>      read a map; '-' is standard input
   -c, --compile <text>  compile a map from its text
   --enable-unsafe-tunables
                         compile with tunables that are not safe (all are)
   -d, --decompile <map> write a map as text
   --build --num_osds <n> <layer>...
                         build a map, each layer being
                         <name> <uniform|straw2|straw|list|tree> <size>, where size 0 is all
   -v, --verbose         say more

Tunables

   --set-choose-local-tries <n>
                         tries in the same bucket before descending anew
   --set-choose-local-fallback-tries <n>
                         tries by permutation of the same bucket before descending anew
   --set-choose-total-tries <n>
                         tries in all
   --set-chooseleaf-descend-once <0|1>
                         whether chooseleaf tries but once below what it chose
   --set-chooseleaf-vary-r <0|1>
                         whether choices below a bucket depend on how it was chosen
   --set-chooseleaf-stable <0|1>
                         whether chooseleaf firstn moves as little as it can
   --set-straw-calc-version <0|1>
                         how lengths of straws are computed
   --set-allowed-bucket-algs <n>
                         algorithms that new buckets may have, as bits

Changes (with -i <map>)

   --add-item <id> <weight> <name> [--loc <type> <name>]...
                         put a device at a place
   --update-item <id> <weight> <name> [--loc <type> <name>]...
                         put a device at a place, from wherever it is
   --remove-item <name>  remove a device or an empty bucket
   --reweight-item <name> <weight>
                         give an item another weight, and what is above it
   --add-bucket <name> <type> [--loc <type> <name>]...
                         add a bucket, at a place
   --move <name> --loc <type> <name>...
                         move an item
   --reweight            compute all weights of buckets anew
   --rebuild-class-roots make the trees of device classes anew
   --create-simple-rule <name> <root> <type> <firstn|indep>
                         add a rule that spreads over buckets of a type
   --create-replicated-rule <name> <root> <type>
                         the same, firstn
   --device-class <class>
                         only devices of that class, for the new rule
   --remove-rule <name>  remove a rule
   --set-subtree-class <bucket> <class>
                         give all devices below a bucket a class
   --reclassify          turn trees made by hand for kinds of devices into device classes
      --reclassify-bucket <match> <class> <default parent>
                         buckets named %suffix, prefix% or exactly so
      --reclassify-root <bucket> <class>
                         all that is below a root

Display and tests

   --dump                print the map
   -f, --format <format> json, json-pretty (unless given), xml, xml-pretty, table, table-kv, html, html-pretty
   --tree                print the map as a tree
   --bucket-tree         print the devices below a bucket
   -b, --bucket-name <bucket>
                         that bucket
   --check [<max id>]    look for rules that overlap and, with a number, for names and types that are missing
   --show-location <id>  where a device stands
   -t, --test            map inputs
      [--min-x <x>] [--max-x <x>] [--x <x>]
      [--min-rule <r>] [--max-rule <r>] [--rule <r>] [--ruleset <r>]
      [--num-rep <n>]    replicas
      [--pool-id <n>]    hash inputs with a pool's id
      [--batches <n>]    in so many rounds
      [--weight <device> <weight>]
                         reweight of a device, 0 to 1
      [--mark-down-ratio <share>] [--mark-down-bucket-ratio <share>]
                         take out a share of the devices, in a share of the buckets
      [-s, --simulate]   choose at random instead of by CRUSH
   --show-utilization    what each device that stores something stores
   --show-utilization-all
                         what each device stores
   --show-statistics     how many results have which size
   --show-mappings       all results
   --show-bad-mappings   results that are too short
   --show-choose-tries   how many tries choices took
   --output-csv          write data of the test to CSV files
   --output-name <name>  begin their names so
   --help-output         what is in them
   --compare <map>       compare results with those of another map

Output

   -o, --outfn <file>    where the map, or its text, is written

`;

export const OUTPUT_HELP = `--output-csv writes these files for each rule, named after it, one line an entry unless said otherwise:
   -absolute_weights.csv
                         each device's reweight: device, weight
   -proportional_weights.csv
                         each device's share of all weight, if it has any: device, share
   -proportional_weights_all.csv
                         the same, of all devices
   -device_utilization.csv
                         what each device stores that stores something and should: device, objects, objects due
   -device_utilization_all.csv
                         the same, of all devices
   -placement_information.csv
                         where each input is mapped: input, devices
and, with more than one batch, a line for each with a column for each device:
   -batch_device_utilization_all.csv
                         what devices store of the batch: batch, objects
   -batch_device_expected_utilization_all.csv
                         what they should store of it: batch, objects
`;
